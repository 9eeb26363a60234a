"""Nobody gets an answer but who has the token, asks this machine by its own name, and is no page of elsewhere."""

import http.client
import json

import pytest
from served import TOKEN, live

from praxino.browse.guard import answer


async def echo(scope, receive, send):
    await answer(send, 200, {"path": scope["path"], "method": scope["method"]}, [(b"Cache-Control", b"public")])


@pytest.fixture(scope="module")
def server():
    with live(echo) as one:
        yield one


def test_who_has_the_token_gets_the_rest_of_the_path(server):
    for path in ("", "about.json", "frame/1.jpg", "a%20b?c=d"):
        status, said = server.json(path)
        assert (status, said["path"]) == (200, f"/{path.replace('%20', ' ').partition('?')[0]}")
    assert server.ask("", "HEAD")[0] == 200
    status, headers, _ = server.ask(f"/{TOKEN}", token=None)
    assert (status, headers["location"]) == (307, f"/{TOKEN}/")


@pytest.mark.parametrize(
    "path",
    ["/", "/about.json", "//about.json", f"/{TOKEN}x/", f"/{TOKEN[:-1]}/", f"/{TOKEN.upper()}/", f"/x/{TOKEN}/",
     "/%00/", f"/{TOKEN}%2fabout.json%00/../", "/caf%e9/", "/%ED%A0%80/", "http://127.0.0.1/", "*", f"/?{TOKEN}/",
     f"/./{TOKEN}/", "/favicon.ico"],
)  # fmt: skip
def test_another_token_gets_one_line(server, path):
    status, _, body = server.ask(path, token=None, headers={"Host": f"127.0.0.1:{server.port}"})
    assert status == 403
    said = json.loads(body)["error"]
    assert "token" in said or "nothing above" in said
    assert "\n" not in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    "path",
    ["../", "..", "frame/../../", "%2e%2e/", "%2E%2e%2fetc/passwd", "video/..%2f..%2fetc%2fpasswd", "..%5c..%5cwin.ini",
     "video/..\\x"],
)  # fmt: skip
def test_nothing_is_above(server, path):
    assert server.ask(path)[0] == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}",
     "0.0.0.0:{port}", "[::1]:{port}", "127.0.0.1:{port}@evil.example", "", "127.1:{port}", "localhost.:{port}"],
)  # fmt: skip
def test_a_name_that_was_bound_to_this_machine_is_refused(server, host):
    """DNS rebinding: a page of evil.example that has this machine's address as its own."""
    status, headers, body = server.ask("", headers={"Host": host.format(port=server.port)})
    assert status == 403
    assert "another name" in json.loads(body)["error"]
    assert headers["x-content-type-options"] == "nosniff"


def test_this_machine_by_its_names(server):
    for host in ("127.0.0.1", "localhost", "LOCALHOST"):
        assert server.ask("", headers={"Host": f"{host}:{server.port}"})[0] == 200


def test_two_hosts_or_none_are_refused(server):
    """Which one a server looks at must not matter."""
    for hosts in ([], [f"127.0.0.1:{server.port}", "evil.example"]):
        asked = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        asked.putrequest("GET", f"/{TOKEN}/", skip_host=True)
        for host in hosts:
            asked.putheader("Host", host)
        asked.endheaders()
        assert asked.getresponse().status in (400, 403)
        asked.close()


@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1:{port}", "http://127.0.0.1"]
)
def test_a_page_of_elsewhere_is_refused(server, method, origin):
    said = origin.format(port=server.port)
    assert server.ask("query", method, b"", headers={"Origin": said})[0] == 403


def test_the_own_page_may_post(server):
    for host in ("127.0.0.1", "localhost"):
        headers = {"Origin": f"http://{host}:{server.port}", "Sec-Fetch-Site": "same-origin"}
        assert server.ask("query", "POST", b"", headers=headers)[0] == 200


def test_what_browsers_say_of_where_a_request_comes_from(server):
    """A picture or a script in a page of elsewhere, or of another port; but a link may be followed."""
    opened = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for site in ("cross-site", "same-site"):
        assert server.ask("frame/1.jpg", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})[0] == 403
        assert server.ask("", headers={"Sec-Fetch-Site": site, **opened, "Sec-Fetch-Dest": "iframe"})[0] == 403
        assert server.ask("", "POST", b"", headers={"Sec-Fetch-Site": site, **opened})[0] == 403
        assert server.ask("", headers={"Sec-Fetch-Site": site, **opened})[0] == 200
    assert server.ask("", headers={"Sec-Fetch-Site": "none", **opened})[0] == 200


def test_every_answer_has_the_headers(server):
    for token in (TOKEN, "other"):
        headers = server.ask("", token=token)[1]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"  # whatever the app says
        assert "access-control-allow-origin" not in headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["connect-src"] == policy["style-src"] == "'self'"
        assert policy["script-src"] == "'self' 'unsafe-eval'"  # no inline scripts, and none of elsewhere
        assert policy["frame-ancestors"] == "'none'"

"""The page of a run that goes on, in a browser that has it open."""

import json

from served import TOKEN, live

from praxino.browse.runs import POLICY, Runs


def epoch(folder, number):
    """What a run writes at the end of an epoch."""
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "epoch", "epoch": number, "step": number, "loss": 1.0 / number}) + "\n")


def looks(page, status):
    """Lets the page look twice: what it does about the first answer is done when it asks again."""
    for _ in range(2):
        with page.expect_response("**/state.json") as said:
            page.clock.fast_forward(11_000)
        assert said.value.status == status


def test_what_is_shown_stays_while_the_server_refuses_and_is_followed_again_later(browser, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    epoch(run, 1)
    app = Runs([str(run)]).app
    page = browser.new_page()
    page.clock.install()
    with live(app, POLICY) as server:
        page.goto(f"http://127.0.0.1:{server.port}/{TOKEN}/")
        shown = page.inner_text("body")
        assert page.inner_text("h1") == "run"
        run.rename(tmp_path / "moved")
        looks(page, 200)  # a state of no files, and a page that is refused
        assert page.inner_text("body") == shown
        (tmp_path / "moved").rename(run)
    with live(app, POLICY, server.port, "another"):
        looks(page, 403)
        assert page.inner_text("body") == shown
    epoch(run, 2)
    with live(app, POLICY, server.port):
        looks(page, 200)
        assert page.inner_text("body") != shown
        assert page.inner_text("h1") == "run"
    page.close()

"""The page in a browser: without a server by file://, and what a server adds."""

import json

import pytest
from pages import GONE, HOSTILE, NAMES, small_collection


def test_the_first_sight_names_the_index_and_draws_all_groups(look):
    one = look(allowed=GONE)
    page = one.page
    assert page.title() == "index · praxino browse"
    assert page.inner_text("#facts").startswith("24 clips of 6 videos · 1 video not read · 1 video gone or damaged")
    assert "Near: alike for the encoder." in page.inner_text("#caption")
    assert page.locator("#page-groups .strip").count() == 3
    assert [words.split()[1] for words in page.locator("#legend button").all_inner_texts()] == ["1", "2", "3"]
    drawn = sorted(one.colours().values(), reverse=True)
    assert len(drawn) >= 3
    assert page.locator(".left summary").all_inner_texts() == [
        "1 video could not be read",
        "1 video is gone or damaged",
    ]


def test_a_click_on_a_point_selects_plays_and_shows_what_is_like_it(look):
    one = look(allowed=GONE)
    x, y = one.place(6)
    one.page.evaluate("location.hash = ''")
    one.page.wait_for_selector("#page-groups:not([hidden])")
    one.page.mouse.move(x, y)
    one.page.wait_for_selector("#tip:not([hidden])")
    assert "b.mp4" in one.page.inner_text("#tip")
    one.page.mouse.click(x, y)
    one.hash("#row=6")
    assert one.page.inner_text("#page-clip h2") == "b.mp4"
    assert "ball · 0.8 to 1.1 s · shown with a second around it" in one.page.inner_text("#page-clip")
    one.page.wait_for_function("() => { const v = document.querySelector('video'); return v.currentTime > 0.1; }")
    assert one.page.evaluate("() => { const v = document.querySelector('video'); return v.muted && v.loop; }")
    assert one.page.locator("#page-clip .hit").count() == one.page.locator(".mark.near").count() > 3


def test_a_neighbour_goes_on_and_the_way_back_is_the_browsers(look):
    one = look(allowed=GONE)
    one.select(0)
    first = one.page.locator("#page-clip .hit").first
    row = first.get_attribute("data-row")
    first.click()
    one.hash(f"#row={row}")
    one.page.go_back()
    one.hash("#row=0")
    one.page.wait_for_selector(".mark.own[data-row='0']", state="attached")
    assert one.page.inner_text("#page-clip h2") == "a.mp4"


def test_a_group_is_highlighted_and_colours_follow_groups_or_labels(look):
    one = look(allowed=GONE)
    before = one.colours()
    one.page.locator("#page-groups .group").first.click()
    assert one.page.locator("#page-groups [aria-pressed=true]").count() == 1
    assert one.page.locator("#legend [aria-pressed=true]").inner_text() == "Group 1"
    assert "Group 1 is highlighted" in one.page.inner_text("#said")
    lit = one.colours()
    assert sum(count for colour, count in lit.items() if colour in before) < 0.7 * sum(before.values())
    one.page.keyboard.press("Escape")
    assert one.page.locator("#legend [aria-pressed=true]").count() == 0
    one.page.get_by_text("Labels", exact=True).click()
    assert one.page.locator("#legend button").all_inner_texts() == ["ball", "boat", "kite"]
    one.page.locator("#legend button").nth(1).click()
    assert "boat is highlighted" in one.page.inner_text("#said")


def test_the_search_filters_by_name(look):
    one = look(allowed=GONE)
    all_points = sum(one.colours().values())
    one.page.fill("#find", "BOAT d")
    one.page.wait_for_function("document.getElementById('said').textContent.startsWith('4 clips of 24')")
    assert one.page.locator(".files .name").all_inner_texts() == ["d.mp4"]
    assert 0 < sum(one.colours().values()) < all_points / 3
    one.page.press("#find", "Enter")
    one.hash("#row=12")
    one.page.fill("#find", "zebra")
    one.page.wait_for_selector("text=No file is called so")
    assert sum(one.colours().values()) == 0
    one.page.press("#find", "Escape")
    one.page.wait_for_selector(".files", state="hidden")
    assert sum(one.colours().values()) >= all_points


def test_the_keyboard_goes_the_whole_way(look):
    one = look(allowed=GONE)
    keys = one.page.keyboard
    keys.press("/")
    keys.type("ball a")
    one.page.wait_for_selector(".files .hit")
    keys.press("Enter")
    one.hash("#row=0")
    keys.press("Escape")
    one.page.wait_for_selector(".files", state="hidden")
    keys.press("Escape")
    one.page.wait_for_selector("#page-clip .hit")
    focused = "() => Number(document.activeElement.querySelector('b')?.textContent)"
    places = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        keys.press(key)
        places.append(one.page.evaluate(focused))
    assert places == [1, 2, 5, 4, 1]
    one.page.wait_for_function("!document.querySelector('video').paused")
    keys.press("Space")
    one.page.wait_for_function("document.querySelector('video').paused")
    row = one.page.evaluate("document.activeElement.dataset.row")
    keys.press("Enter")
    one.hash(f"#row={row}")
    keys.press("Backspace")
    one.hash("#row=0")
    keys.press("?")
    assert one.page.evaluate("document.getElementById('help').open")
    keys.press("Escape")
    assert not one.page.evaluate("document.getElementById('help').open")


def test_dark_and_light_follow_the_system(look):
    one = look(allowed=GONE, color_scheme="dark")
    dark = (
        one.page.evaluate("getComputedStyle(document.body).backgroundColor"),
        max(one.colours(), key=one.colours().get),
    )
    one.page.emulate_media(color_scheme="light")
    one.page.wait_for_timeout(100)
    light = (
        one.page.evaluate("getComputedStyle(document.body).backgroundColor"),
        max(one.colours(), key=one.colours().get),
    )
    assert dark[0] == "rgb(17, 21, 27)"
    assert light[0] == "rgb(246, 247, 249)"
    assert sum(dark[1]) > sum(light[1])  # points are lighter on the dark page


@pytest.mark.parametrize("width", [320, 390, 820, 1000])
def test_no_width_scrolls_sideways(look, width):
    one = look(allowed=GONE, viewport={"width": width, "height": 844})
    one.select(0)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    stacked = one.page.evaluate(
        "() => document.querySelector('.map').getBoundingClientRect().bottom <= "
        "document.querySelector('.panel').getBoundingClientRect().top"
    )
    assert stacked == (width < 1000)


def test_hostile_names_are_text_and_what_is_gone_says_so(look):
    one = look(allowed=GONE)
    one.select(20)
    assert one.page.inner_text("#page-clip h2") == HOSTILE.split("/")[1]
    assert one.page.inner_text("#page-clip [role=alert]").startswith("No moving picture: ")
    one.page.fill("#find", "onerror")
    one.page.wait_for_selector(".files .hit")
    one.page.click("#tab-groups")
    one.page.click(".left summary >> nth=0")
    assert "kite/broken <b>.mp4" in one.page.inner_text("#page-groups")
    assert one.page.evaluate("window.hurt") is None
    assert one.page.locator("main b b, main img[src=x]").count() == 0


def test_who_wants_less_motion_gets_none_by_itself(look):
    one = look(allowed=GONE, reduced_motion="reduce")
    one.select(3)
    one.page.wait_for_function("document.querySelector('video').readyState >= 2")
    one.page.wait_for_timeout(300)
    assert one.page.evaluate("document.querySelector('video').paused")
    one.page.get_by_role("button", name="Play").click()
    one.page.wait_for_function("document.querySelector('video').currentTime > 0.05")


def test_an_address_without_its_clip_says_so(look, site):
    one = look(f"{site}#row=999", allowed=GONE)
    one.page.wait_for_function("document.getElementById('said').textContent.includes('There is no clip 999')")
    assert one.page.locator("#page-groups .strip").count() == len({name.split("/")[0] for name in NAMES})


@pytest.fixture
def served(tmp_path):
    """The page of a server: its address, and what it answers to queries."""
    pytest.importorskip("starlette", reason="starlette is not installed")
    from served import TOKEN, live
    from starlette.responses import Response
    from starlette.routing import Route

    from praxino.browse.app import Pages
    from praxino.browse.guard import POLICY

    collection, asked = small_collection(tmp_path), []

    async def answer(request):
        asked.append((request.headers["x-name"], await request.body()))
        if len(asked) > 1:
            return Response(json.dumps({"error": "it is <b>no</b> video"}), 400)
        return Response(json.dumps({"hits": collection.neighbours(9), "clips": len(collection)}))

    pages = Pages(collection)
    pages.about["query"] = True
    pages.app.router.routes.insert(0, Route("/query", answer, methods=["POST"]))
    policy = (
        POLICY if "unsafe-eval" in POLICY else POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
    )
    with live(pages.app, policy) as server:
        yield f"http://127.0.0.1:{server.port}/{TOKEN}/", asked, collection


def test_a_server_plays_the_files_and_takes_queries(look, served):
    address, asked, collection = served
    one = look(address, allowed=["400 (Bad Request)"])
    one.select(6)
    one.page.wait_for_function("document.querySelector('video').currentTime > 0.85")
    assert one.page.evaluate("document.querySelector('video').currentTime") < 1.4
    one.page.evaluate(
        "document.querySelector('video').addEventListener('seeked', () => (window.again = (window.again || 0) + 1))"
    )
    one.page.wait_for_function("window.again >= 2 && !document.querySelector('video').paused")
    query = {"name": "ünd <i>.mp4", "mimeType": "video/mp4", "buffer": b"the file"}
    one.page.set_input_files("#file", files=[query])
    one.hash("#query")
    one.page.wait_for_selector("#page-clip .hit")
    assert asked == [("%C3%BCnd%20%3Ci%3E.mp4", b"the file")]
    assert one.page.inner_text("#page-clip h2") == query["name"]
    rows = [int(hit.get_attribute("data-row")) for hit in one.page.locator("#page-clip .hit").all()]
    assert rows == [hit["row"] for hit in collection.neighbours(9)]
    one.page.set_input_files("#file", files=[query])
    one.page.wait_for_selector("#page-clip [role=alert]")
    assert one.page.inner_text("#page-clip [role=alert]") == "it is <b>no</b> video"
    one.page.go_back()
    one.hash("#row=6")
    one.page.wait_for_selector("#page-clip .hit")


def test_a_video_that_goes_while_it_is_served_is_named_with_its_reason(look, served, tmp_path):
    address, _, _ = served
    one = look(address, allowed=["404 (Not Found)"])
    (tmp_path / "videos/ball/b.mp4").unlink()
    one.select(6)
    one.page.wait_for_selector("#page-clip [role=alert]")
    assert one.page.inner_text("#page-clip [role=alert]") == "No moving picture: there is no such file"


def test_fingers_move_and_scale_the_map(look):
    one = look(allowed=GONE, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    one.select(6)
    one.page.wait_for_timeout(300)
    marks = """() => [...document.querySelectorAll(".mark")].map((one) => one.getBoundingClientRect())
                     .map((box) => [box.x, box.y])"""
    stage = one.page.locator("#stage").bounding_box()
    x, y = stage["x"] + 150, stage["y"] + 150
    fingers = one.context.new_cdp_session(one.page)

    def touched(*places):
        """Fingers go down at the first places, to the next ones, and up."""
        for kind, at in zip(["touchStart", *["touchMove"] * (len(places) - 1), "touchEnd"], [*places, []], strict=True):
            points = [{"x": a, "y": b, "id": number} for number, (a, b) in enumerate(at)]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            one.page.wait_for_timeout(60)
        one.page.wait_for_timeout(300)
        return one.page.evaluate(marks)

    before = one.page.evaluate(marks)
    moved = touched([(x, y)], [(x + 20, y + 10)], [(x + 40, y + 20)])
    for (a, b), (c, d) in zip(before, moved, strict=True):
        assert (c - a, d - b) == (pytest.approx(40, abs=1), pytest.approx(20, abs=1))
    wide = touched([(x - 20, y), (x + 20, y)], [(x - 30, y), (x + 30, y)], [(x - 40, y), (x + 40, y)])
    for (a, b), (c, d) in zip(moved[1:], wide[1:], strict=True):
        assert c - wide[0][0] == pytest.approx(2 * (a - moved[0][0]), abs=2)
        assert d - wide[0][1] == pytest.approx(2 * (b - moved[0][1]), abs=2)

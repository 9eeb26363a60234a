"""Names of files on the page: how they are found, and where they break."""

from pages import GONE


def test_the_search_leaves_rings_only_about_points_that_it_shows(look):
    one = look(allowed=GONE)
    one.select(0)
    rows = "() => [...document.querySelectorAll('.mark:not([hidden])')].map((mark) => Number(mark.dataset.row))"
    before = one.page.evaluate(rows)
    assert {0 <= row < 4 for row in before} == {True, False}
    assert any(4 <= row < 8 for row in before)
    one.page.fill("#find", "b.mp4")
    one.page.wait_for_selector(".files .hit")
    assert sorted(one.page.evaluate(rows)) == sorted(row for row in before if row == 0 or 4 <= row < 8)
    one.page.press("#find", "Escape")
    one.page.wait_for_selector(".files", state="hidden")
    assert one.page.evaluate(rows) == before


def test_names_are_found_without_their_accents_and_break_where_their_parts_do(look):
    one = look(allowed=GONE)
    plain = "(words) => words.map(Praxino.plain)"
    assert one.page.evaluate(plain, ["Été", "E\u0301te\u0301", "ÜBER_1"]) == ["ete", "ete", "uber_1"]
    parts = """(names) => names.map((name) => Praxino.breakable(name).filter((one) => typeof one === "string"))"""
    assert one.page.evaluate(parts, ["v_Surf-ing_g01.mp4", "a b", "x.y.mkv", ""]) == [
        ["v_", "Surf-", "ing_", "g01.mp4"],
        ["a b"],
        ["x.y.mkv"],
        [""],
    ]
    one.page.fill("#find", "BÄLL á.")
    one.page.wait_for_selector(".files .hit")
    assert one.page.locator(".files .name").all_inner_texts() == ["a.mp4"]

"""What a table of an evaluation says in words, and what it takes each row for."""

import pytest
from report_runs import row

from praxino.report import tables
from praxino.report.markup import breakable
from praxino.telling import telling, untold


def test_what_the_table_says_in_words() -> None:
    rows = [
        row("chance", 10, 40, None),
        row("frame difference", 48, 60),
        row("untrained", 30, 50),
        row("trained", 40, 70),
    ]
    said = [s.replace("\u00a0", " ") for s in tables.findings({"columns": ["1", "5"], "rows": rows})]
    assert said == [
        "Frame difference, a hand-made feature, beats the trained network here at k = 1 (48.0 against 40.0).",
        "The trained network stands 30.0 points above chance and 10.0 points above “untrained” at k = 1.",
    ]
    rows[1] = row("frame difference", 44, 60)
    assert tables.findings({"columns": ["1"], "rows": rows})[0].endswith(
        "the intervals overlap, so no difference is shown."
    )
    rows[1] = row("frame difference", 36, 60)
    said = tables.findings({"columns": ["1"], "rows": rows})
    assert len(said) == 1
    assert "4.0 points above “frame difference” (the intervals overlap)" in said[0]


def test_the_untrained_twin_is_always_told() -> None:
    """Also where one frame of an untrained network is better: what training has added is the distance from the twin."""
    names = ["chance", "untrained", "untrained, one frame", "trained"]
    rows = [row(name, at_1, 60) for name, at_1 in zip(names, (2, 41, 70, 40), strict=True)]
    (said,) = tables.findings({"columns": ["1"], "rows": rows})
    assert "1.0 points below “untrained” (the intervals overlap) and 30.0 points below “untrained, one frame”" in said


def test_no_difference_is_level() -> None:
    rows = [row("chance", 10, 40, None), row("trained", 10.02, 40)]
    assert tables.findings({"columns": ["1"], "rows": rows})[0].startswith(
        "The trained network stands level with chance"
    )


def test_columns_that_chance_fills_tell_nothing() -> None:
    rows = [row("chance", 10, 97.7, None), row("frame difference", 20, 99, None), row("trained", 40, 98, None)]
    said = [s.replace("\u00a0", " ") for s in tables.findings({"columns": ["1", "5"], "rows": rows})]
    assert said == [
        "The trained network stands 30.0 points above chance and 20.0 points above “frame difference” at k = 1.",
        "Chance alone reaches 97.7 at k = 5: nothing is to be learnt there.",
    ]


def test_joint_features_speak_for_several_views() -> None:
    names = ["chance", "untrained, rgb", "untrained, joint", "frame difference"]
    names += ["trained, rgb", "trained, residual", "trained, joint"]
    rows = [row(name, at_1, 60) for name, at_1 in zip(names, (10, 20, 24, 45, 30, 50, 48), strict=True)]
    said = [s.replace("\u00a0", " ") for s in tables.findings({"columns": ["1"], "rows": rows})]
    assert said == [
        "The trained joint features of several views stand 38.0 points above chance, 24.0 points above "
        "“untrained, joint” and 3.0 points above “frame difference” (the intervals overlap) at k = 1."
    ]


def test_of_tracking_baselines_are_told_as_such() -> None:
    rows = [
        {"name": "trained", "values": {"AUC": 40.0}},
        {"name": "box that never moves", "values": {"AUC": 4.0}},
        {"name": "MIL of OpenCV", "values": {"AUC": 45.0}},
    ]
    assert tables.findings({"columns": ["AUC"], "rows": rows})[0] == (
        "MIL of OpenCV, a baseline, beats the trained network here in AUC (45.0 against 40.0)."
    )
    assert tables.trained(rows, "AUC") is rows[0]


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("chance", "chance"),
        ("untrained, one frame", "untrained"),
        ("one frame: 8x8 thumbnail", "hand-made"),
        ("colour histogram", "hand-made"),
        ("temporal spectrum", "hand-made"),
        ("box that never moves", "baseline"),
        ("MIL of OpenCV", "baseline"),
        ("trained", "trained"),
        ("trained, frame difference", "trained"),
        ("untrained, joint", "untrained"),
    ],
)
def test_kinds_of_rows(name: str, wanted: str) -> None:
    assert tables.kind({"name": name}) == wanted


def test_columns_that_chance_fills_are_not_shown() -> None:
    drawn = tables.scores(["1", "5"], [row("chance", 10, 99, None), row("trained", 40, 99.5)])
    assert "@1</th>" in drawn
    assert "@5</th>" not in drawn
    assert "Not shown, since chance alone reaches more than 95 %: @5." in drawn


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("v_PlayingCello_g04_c01.mp4", ["v_", "PlayingCello_", "g04_", "c01.mp4"]),
        ("2024/my-film.mkv", ["2024/", "my-", "film.mkv"]),
        ("method.view.operations.0.size", ["method.", "view.", "operations.", "0.size"]),
        ("-81.2", ["-81.2"]),
        ("6.8e-06", ["6.8e-06"]),
        ("<b>_&", ["&lt;b&gt;_", "&amp;"]),
    ],
)
def test_long_names_break_between_their_words(name: str, pieces: list[str]) -> None:
    assert breakable(name).split("<wbr>") == pieces


def test_one_threshold_for_the_page_and_the_terminal() -> None:
    by_chance = {"1": 20.0, "5": 95.0, "20": 95.1}
    assert telling(["1", "5", "20"], by_chance) == ["1", "5"]
    assert untold(["1", "5", "20"], by_chance) == "not shown, since chance alone reaches more than 95 %: @20"
    assert telling(["20"], by_chance) == ["20"]
    assert untold(["20"], by_chance) == ""
    assert untold(["20", "AUC"], {"20": 99.0, "AUC": 99.0}).endswith(": AUC")

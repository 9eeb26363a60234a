"""Numbers with their words."""

from praxino.printable import are, counted


def test_one_is_one() -> None:
    assert [counted(n, "test video") for n in (0, 1, 2)] == ["0 test videos", "1 test video", "2 test videos"]
    assert [counted(n, "class") for n in (1, 12)] == ["1 class", "12 classes"]
    assert [are(n) for n in (0, 1, 2)] == ["are", "is", "are"]

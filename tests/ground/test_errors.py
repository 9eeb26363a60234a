"""Hints for misspelled words: near ones, else the known ones, as many as a line holds."""

from praxino.errors import nearest


def test_a_near_word_is_named():
    assert nearest("colur", ["colour", "size", "colours"]) == " Did you mean 'colour' or 'colours'?"


def test_known_words_are_listed_in_their_order():
    assert nearest("x", ["b", "a"]) == " Known: a, b."


def test_a_line_holds_no_thousand_words():
    said = nearest("zzz", [f"{number:06}.mp4" for number in range(100_000)])
    assert said.startswith(" Known: 000000.mp4, 000001.mp4, ")
    assert said.endswith(", 000059.mp4 and 99940 others.")

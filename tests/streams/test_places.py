"""Where a video's files lie below the root of a stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.streams.places import MANIFEST, place_of, places

WORD = st.text("abc.", min_size=1, max_size=4).filter(lambda word: word.strip("."))


@pytest.mark.parametrize(
    ("id", "place"),
    [
        ("c.mp4", "c"),
        ("a/b/c.AVI", "a/b/c"),
        ("./a/c.mp4", "a/c"),
        ("/data/c.mp4", "data/c"),
        ("a/v_1.5", "a/v_1.5"),
        ("a/c.mp4.mkv", "a/c.mp4"),
        ("n01/1.JPEG", "n01/1.JPEG"),
    ],
)
def test_a_place_is_an_id_without_a_videos_ending(id, place):
    assert place_of(id) == place


@given(st.lists(WORD, min_size=1, max_size=4), st.booleans())
def test_the_whole_id_comes_first(words, bare):
    found = places("nowhere", "/".join(words), bare)
    *folders, name = place_of("/".join(words)).split("/")
    assert found[0] == "/".join([*folders, name])
    assert set(found) == {found[0], "/".join([*folders[-1:], name]), *([name] if bare else [])}
    assert len(set(found)) == len(found)


def test_in_what_prepare_has_filled_no_shorter_name_is_taken(tmp_path):
    (tmp_path / MANIFEST).touch()
    assert places(str(tmp_path), "x/a/c.mp4", True) == ["x/a/c"]
    assert places(str(tmp_path / "other"), "x/a/c.mp4", True) == ["x/a/c", "c", "a/c"]
    both = ["HandstandPushups/v_1", "HandStandPushups/v_1"]
    assert places(str(tmp_path), "HandstandPushups/v_1.avi") == both

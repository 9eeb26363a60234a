"""Entries of the cache: whole or not there."""

from hypothesis import given
from hypothesis import strategies as st

from praxino.cache import keep, kept


@given(data=st.binary(max_size=200), other=st.binary(max_size=50), cut=st.integers(0, 99))
def test_an_entry_is_what_was_kept_or_nothing(tmp_path_factory, data, other, cut):
    entry = tmp_path_factory.mktemp("cache") / "more" / "entry"
    assert kept(entry) is None
    header = {"key": ["\udc80", 1.5, None], "line": "a\nb"}
    keep(entry, header, data)
    found = kept(entry)
    assert found is not None
    assert found[0] == header
    assert bytes(found[1]) == data
    assert [path.name for path in entry.parent.iterdir()] == ["entry"]
    whole = entry.read_bytes()
    for damaged in (whole[: cut % len(whole)], whole + b"x", other):
        entry.write_bytes(damaged)
        assert kept(entry) is None
    entry.unlink()
    entry.mkdir()
    assert kept(entry) is None
    keep(entry, header, data)
    assert entry.is_dir()

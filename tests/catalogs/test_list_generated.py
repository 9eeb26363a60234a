"""Generated lists: what the csv module writes is read back; whatever bytes a list holds, it is read or refused."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from praxino.catalogs.listfile import ListFile
from praxino.errors import UserError

LETTERS = "ab1é日 ,;\t'\"/.()#\n\u2028"
THERE = "there.mp4"


def bare(text):
    return text == text.strip(" \t") and text != ""


names = st.text(LETTERS, min_size=1, max_size=9).filter(bare)
# "/.mp4" is a hidden file without an ending.
videos = st.builds(
    "{}{}".format, names.filter(lambda name: name[-1] != "/"), st.sampled_from([".mp4", ".AVI", ".webm"])
)
labels = st.text("ab1é ,;\t'\"()#", min_size=1, max_size=7).filter(bare)
FORMS = {
    "separator": st.sampled_from([",", "\t", ";"]),
    "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    "end": st.sampled_from(["\n", "\r\n"]),
    "mark": st.sampled_from(["", "\ufeff"]),
}


def written(folder, rows, separator, quoting, end, mark):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end).writerows(rows)
    (folder / "list").write_bytes((mark + text.getvalue()).encode())
    (folder / THERE).touch()
    return folder / "list"


def read(path):
    catalog = ListFile(path)
    return [(v.id, "" if v.label is None else catalog.classes[v.label]) for v in catalog], [v.group for v in catalog]


def read_or_refused(path):
    try:
        return read(path)[0], ""
    except UserError as error:
        return None, str(error)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.one_of(names, videos), labels, names), max_size=6, unique_by=lambda row: row[0]),
    order=st.permutations(["path", "label", "group"]),
    index=st.booleans(),
    **FORMS,
)
def test_a_table_with_a_heading_is_read_back(tmp_path_factory, rows, order, index, **form):
    folder = tmp_path_factory.mktemp("lists", numbered=True)
    rows = [*rows, (THERE, "red", "g")]
    heading = ("path", "label", "group")
    table = [[dict(zip(heading, row, strict=True))[name] for name in order] for row in (heading, *rows)]
    if index:
        table = [[str(k - 1) if k else "", *row] for k, row in enumerate(table)]
    found, groups = read(written(folder, table, **form))
    assert found == [row[:2] for row in rows]
    assert groups == [row[2].strip(" \t") for row in rows]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(videos, labels), max_size=6, unique_by=lambda row: row[0]),
    labelled=st.booleans(),
    **FORMS,
)
def test_a_table_without_a_heading_is_read_back_or_refused(tmp_path_factory, rows, labelled, **form):
    """Refused only where two separators would do, or where a line break in a quoted path has no table around it."""
    folder = tmp_path_factory.mktemp("lists", numbered=True)
    rows = [*rows, (THERE, "red")]
    path = written(folder, rows if labelled else [row[:1] for row in rows], **form)
    found, said = read_or_refused(path)
    if found is None:
        assert "may divide" in said or (not labelled and '"' in path.read_text())
        return
    assert found == (rows if labelled else [(name, "") for name, _ in rows])


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(videos.filter(lambda name: not set(name) & set('\n\r"')), max_size=6, unique=True),
    label=st.sampled_from(["", " 7", "  walk", "\twalk"]),
    end=FORMS["end"],
)
def test_plain_lines_are_read_back(tmp_path_factory, rows, label, end):
    folder = tmp_path_factory.mktemp("lists", numbered=True)
    (folder / THERE).touch()
    rows = [*rows, THERE]
    (folder / "list").write_bytes("".join(f"{name}{label}{end}" for name in rows).encode())
    found, said = read_or_refused(folder / "list")
    if found is None:
        assert label
        assert "heading" in said or "fields" in said
        return
    assert found == [(name, label.strip()) for name in rows]


PIECES = [
    "a.mp4",
    THERE,
    " ",
    "  ",
    "\t",
    ",",
    ";",
    '"',
    '""',
    "\n",
    "\r\n",
    "path",
    "label",
    "split",
    "é",
    "\ufeff",
    "7",
]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=40), st.lists(st.sampled_from(PIECES), max_size=14).map(lambda s: "".join(s).encode()))
)
def test_whatever_a_list_holds_it_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("lists", numbered=True)
    (folder / THERE).touch()
    (folder / "list").write_bytes(data)
    found, said = read_or_refused(folder / "list")
    assert found or str(folder / "list") in said

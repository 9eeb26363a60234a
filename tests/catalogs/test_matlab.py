"""Arrays of structs in MATLAB files: as another library writes them, as the format says, and damaged in any way."""

import base64
import contextlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.catalogs.matlab import read_structs
from praxino.errors import UserError

SYNSETS = [(1.0, "n02119789", "kit fox"), (2.0, "n02100735", "English setter"), (3.0, "n02110185", "Siberian husky é")]

# scipy.io.savemat (SciPy 1.17), compressed: a variable `other`, then a 1 x 3 array `synsets` with the seven fields of
# ImageNet's, the three above first, then a text, a number, an empty matrix and a number.
OF_SCIPY = """
TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IFN1biBOb3YgMjkgMDE6MDI6MzMgMjAyNgAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAAMgAAAHic42NgYAgAYjYg5gBiPgYIYIXyGYGYGUqDxPJL
MlKLgDQPEEswIAAjlGaC0gCB7QLbDwAAAB4BAAB4nONjYGAwYGNgACIGDiBmYoAAViifEYiZoTQ7EBdX5hWnlhQD5VkYRKHik4HY0yc4LMjZyM
DQJN7ZJ9jH3zne04Uh3A9IoIPy/KKUYnTB9Jz8YgzBvNLc+OSMzJyUotQ8uCCGAMzMvNSS+IzUzPSMEmQZPiC2YED4jw2L/2AYBDih4hDwwR6k
3wFJPwsW/ZxI+gWg/DwDI0NDS3MLSxzuwGYOO5o5IH52ZolCWn4F2foTFSBBS1k4QNxvQEA/A5p+bP4mx14K9DtQEn8GBubGpkjuIGQOH5o5IL
5rXnpOZnGGAjDTlKQWkZ8ORnY8clAUj4YGhhbI8ehBwBwBNHMEgTg4Mym1KDMxTyGjtDi7UuHwShz+GinxCQAVs0cm
"""


def padded(data):
    return data + bytes(-len(data) % 8)


def element(type, data):
    if 0 < len(data) <= 4:
        return struct.pack("<HH", type, len(data)) + data.ljust(4, b"\0")
    return struct.pack("<II", type, len(data)) + padded(data)


def matrix(kind, shape, name, *content):
    flags, sizes = struct.pack("<II", kind, 0), np.array(shape, "<i4").tobytes()
    return element(14, b"".join([element(6, flags), element(5, sizes), element(1, name), *content]))


def text(words):
    return matrix(4, (1, len(words)), b"", element(4, words.encode("utf-16-le")))


def number(value, kind=6, type=9, form="<f8"):
    return matrix(kind, (1, 1), b"", element(type, np.array(value, form).tobytes()))


def structs(rows, shape, name=b"synsets", fields=(b"ID", b"WNID", b"words"), kind=2):
    names = b"".join(field.ljust(32, b"\0") for field in fields)
    values = (value for row in rows for value in row)
    return matrix(kind, shape, name, element(5, struct.pack("<i", 32)), element(1, names), *values)


def plain(shape=(1, 3)):
    return structs([(number(n), text(wnid), text(words)) for n, wnid, words in SYNSETS], shape)


def file(*variables, head=b"MATLAB 5.0 MAT-file", version=b"\x00\x01IM"):
    return head.ljust(124) + version + b"".join(variables)


def compressed(variable):
    packed = zlib.compress(variable)
    return struct.pack("<II", 15, len(packed)) + packed


@pytest.fixture
def read(tmp_path):
    def of(data, fields=3):
        (tmp_path / "meta.mat").write_bytes(data)
        return read_structs(tmp_path / "meta.mat", "synsets", fields)

    return of


def test_as_another_library_writes_them(read):
    data = base64.b64decode(OF_SCIPY)
    assert read(data) == SYNSETS
    assert read(data, fields=2) == [row[:2] for row in SYNSETS]
    with pytest.raises(UserError, match="field 6 of struct 1 is neither one line of text nor one number"):
        read(data, fields=6)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (1, 1, 3)])
def test_as_the_format_says(read, shape):
    other = matrix(6, (1, 2), b"other", element(9, bytes(16)))
    assert read(file(plain(shape))) == SYNSETS
    assert read(file(other, plain(shape))) == SYNSETS
    assert read(file(compressed(other), compressed(plain(shape)))) == SYNSETS


@pytest.mark.parametrize(("kind", "type", "form"), [(6, 2, "u1"), (6, 4, "<u2"), (9, 2, "u1"), (12, 5, "<i4"),
                                                    (7, 7, "<f4"), (14, 12, "<i8"), (6, 1, "i1")])  # fmt: skip
def test_numbers_of_any_type(read, kind, type, form):
    assert read(file(structs([(number(100, kind, type, form),)], (1, 1), fields=(b"a",))), 1) == [(100.0,)]


@pytest.mark.parametrize(("type", "coding"), [(1, "ascii"), (16, "utf-8"), (17, "utf-16-le"), (2, "latin-1")])
def test_texts_of_any_type(read, type, coding):
    words = "n01" if coding == "ascii" else "n01é"
    value = matrix(4, (1, len(words)), b"", element(type, words.encode(coding)))
    assert read(file(structs([(value,)], (1, 1), fields=(b"a",))), 1) == [(words,)]


CHARACTERS = matrix(4, (2, 2), b"", element(4, "abcd".encode("utf-16-le")))
OTHER = matrix(6, (1, 1), b"other", element(9, bytes(36 << 20)))
BOMB = compressed(element(14, bytes(1 << 27)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "does not begin as one"),
        (file(plain(), version=b"\x01\x00MI"), "does not begin as one"),
        (file(head=b"MATLAB 7.3 MAT-file", version=b"\x00\x02IM"), "of MATLAB 7.3: save it with -v7"),
        (file(), "it holds nothing"),
        (file(matrix(6, (1, 1), b"other", element(9, bytes(8)))), "it holds other"),
        (file(structs([], (1, 1), kind=1)), "synsets is no array of structs"),
        (file(matrix(6, (1, 1), b"synsets", element(9, bytes(8)))), "synsets is no array of structs"),
        (file(plain((1, 4))), "has not 3 fields of 4 structs"),
        (file(structs([(number(1), text("a"))], (1, 1), fields=(b"a", b"b"))), "has not 3 fields"),
        (file(structs([(number([1, 2]), text("a"), text("b"))], (1, 1))), "field 1 of struct 1 is neither"),
        (file(structs([(number(1), CHARACTERS, text("b"))], (1, 1))), "field 2 of struct 1 is neither"),
        (file(structs([(number(1), element(9, bytes(8)), text("b"))], (1, 1))), "field 2 of struct 1 is no matrix"),
        (file(plain())[:-9], "it breaks off"),
        (file(compressed(plain())[:-9]), "it breaks off"),
        (file(b"\0\0\0"), "it breaks off"),
        (file(compressed(plain())[:8] + bytes(99)), "it breaks off"),
        (file(struct.pack("<II", 15, 4) + b"abcd"), "decompressing"),
        (file(BOMB), "unpacks to more than it may"),
        (file(compressed(OTHER), compressed(OTHER)), "unpacks to more than it may"),
        (file(compressed(matrix(2, (1, 1), b"synsets", bytes(8 << 18)))), "more than it may"),
    ],
)
def test_what_is_odd_is_one_line(read, data, said):
    with pytest.raises(UserError, match=said) as caught:
        read(data)
    assert "meta.mat" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_structs(tmp_path / "no.mat", "synsets", 2)
    with pytest.raises(UserError, match="no regular file"):
        read_structs(tmp_path, "synsets", 2)


@given(packed=st.booleans(), places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=4))
def test_any_damage_is_one_line_or_seen_in_the_answer(tmp_path_factory, packed, places):
    data = bytearray(file(compressed(plain()) if packed else plain()))
    for at, byte in places:
        data[at % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        assert all(isinstance(value, str | float) for row in read_structs(path, "synsets", 3) for value in row)

"""The page on which a box is drawn: one file that holds the frame, and asks for nothing from anywhere."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import squares
from PIL import Image

import videos
from praxino.errors import UserError
from praxino.evaluations.tracking.first_frame import page, write_first_frame


def picture_of(text):
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_it_holds_the_frame_of_the_second(tmp_path):
    path = write_first_frame(squares.write(tmp_path / "v.mp4"), tmp_path, 0.41)
    assert path == tmp_path / "first_frame.html"
    text = path.read_text(encoding="utf-8")
    assert "v.mp4 at 0.40 s, 240 x 160 pixels" in text
    assert "const WIDTH=240,HEIGHT=160;" in text
    assert np.abs(picture_of(text).astype(int) - squares.picture(10)).mean() < 3


def test_it_is_turned_as_the_file_says(tmp_path):
    source = videos.with_matrix(squares.write(tmp_path / "v.mp4", 3, turn=1), (0, 1, -1, 0))
    text = write_first_frame(source, tmp_path).read_text(encoding="utf-8")
    assert np.abs(picture_of(text).astype(int) - squares.picture(0)).mean() < 3


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_it_needs_nothing_but_itself_and_holds_no_code_of_others():
    text = page(squares.picture(0), 'a"><script>alert(1)</script>.mp4 at 0 s')
    elements = Elements(text).found
    assert [tag for tag, _ in elements].count("script") == 1
    links = [value for _, attributes in elements for name, value in attributes.items() if name in ("src", "href")]
    assert [link[:16] for link in links] == ["data:image/jpeg;"]
    assert not re.search(r"https?:|url\(|@import", text)
    (policy,) = [a["content"] for tag, a in elements if tag == "meta" and a.get("http-equiv")]
    assert policy.startswith("default-src 'none';")
    # All can be reached by keyboard, and every field has a name.
    assert [a["tabindex"] for _, a in elements if a.get("id") == "stage"] == ["0"]
    assert [tag for tag, _ in elements].count("label") == [tag for tag, _ in elements].count("input") == 4


def test_what_the_script_asks_for_is_there():
    text = page(squares.picture(0), "v.mp4")
    ids = {attributes.get("id") for _, attributes in Elements(text).found}
    wanted = set(re.findall(r'part\("(\w+)"\)', text)) | {"x", "y", "width", "height"}
    assert wanted <= ids


def test_a_folder_that_is_not_there_and_a_time_behind_the_end(tmp_path):
    source = squares.write(tmp_path / "v.mp4", 5)
    with pytest.raises(UserError, match=r"--from 3 lies behind"):
        write_first_frame(source, tmp_path, 3)
    (tmp_path / "first_frame.html").mkdir()
    with pytest.raises(UserError, match=r"first_frame\.html cannot be written: it is a folder"):
        write_first_frame(source, tmp_path)

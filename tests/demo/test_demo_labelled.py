"""The demo on one's own class folders has one more table."""

import json

import pytest

import videos
from praxino.demo.labelled import retrieval_by_folders
from praxino.demo.run import demo
from praxino.evaluations.thumbnails import Played
from toys import ToyCatalog


class Folders(ToyCatalog):
    """Videos of these classes."""

    def __init__(self, labels=(0, 0, 1)):
        super().__init__(len(labels))
        self.labels = labels

    def video(self, row):
        return type(super().video(row))(f"video{row}", {"rgb": ""}, self.labels[row])


@pytest.mark.parametrize("labels", [(None,) * 6, (0, 0, 0, 1), (0, 1, 2, 3), (0, 0)])
def test_too_few_of_a_class_are_no_table(labels):
    assert retrieval_by_folders(None, Folders(labels)) == []


def test_class_folders_are_a_second_table(tmp_path):
    for name in ("a/1", "a/2", "b/1", "b/2", "c/1"):
        path = tmp_path / "films" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        videos.write(path, 20, size=(24, 32), seed=ord(name[0]) + int(name[2]))
    said = []
    got = demo(tmp_path / "films", tmp_path / "out", steps=1, workers=0, threads=1, say=said.append)
    assert got.protocol == "instance"
    assert isinstance(got.played, Played)
    (title,) = [line for line in said if "others of its class folder" in line]
    assert title.endswith("3 folders, not used in training")
    # What the second table says in words stands below it, then what holds for both; the last line says where to look.
    assert any("the trained network at 1" in line for line in said[said.index(title) :])
    assert said[-2].startswith("5 videos are few")
    assert said[-1].endswith("queries beside their nearest neighbours")
    assert str(tmp_path / "out/report.html") in said[-1]
    written = json.loads((tmp_path / "out/evaluations/retrieval.json").read_text())
    assert [one["name"] for one in written["by_class"]["classes"]] == ["a", "b", "c"]
    assert written["settings"]["measured on"].endswith("films: all 5 (no lists)")
    assert (written["settings"]["gallery"], written["settings"]["queries"]) == ("all others", "each video")
    again = []
    demo(tmp_path / "films", tmp_path / "out", steps=1, workers=0, threads=1, say=again.append)
    assert again[0] == f"trained already, in {tmp_path / 'out'}"
    assert again[-2:-1] == said[-2:-1]
    page = (tmp_path / "out/report.html").read_text()
    assert "others of its class folder" in page
    assert "the query&#x27;s own" in page

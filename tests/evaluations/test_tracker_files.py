"""The files of a tracker: what is damaged in them is said by the file and the field; and they are no encoder's."""

import json
import re
import shutil

import pytest

from praxino.cli.main import main
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import encoder_files
from praxino.encoders.siamese import SiameseHead
from praxino.errors import UserError
from praxino.evaluations.tracking.tracker import Tracker
from tracked import toy_encoder

pytest.importorskip("cv2")
HEAD = "praxino.encoders.siamese.SiameseHead"
DEEP, UNFIT = "[" * 100_000, r"\.json does not fit this version of praxino: it "


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracker")
    head = SiameseHead(16, 4, cosine=True)
    Tracker(toy_encoder(), head, exemplar=48, instance=102).save(folder / "encoder.safetensors")
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "run")


def refused(folder):
    with pytest.raises(UserError) as caught:
        Tracker.load(folder, trust=("tracked",))
    said = str(caught.value)
    assert "\n" not in said
    assert "--" not in said.replace("--trust", "")  # nobody has typed an option
    assert said.partition("encoder.tracker.")[0].removeprefix("the tracker ") == f"{folder}/"
    return said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scales": "three"}, r"\.json: scales takes a whole number, not 'three'$"),
        ({"scales": 4}, r"\.json: scales must be odd"),
        ({"exemplar": 0}, r"\.json: exemplar must be above 0, not 0$"),
        ({"instance": 10}, r"\.json: instance 10 is below exemplar 48"),
        ({"window": 7}, r"\.json: window must be from 0 to 1, not 7$"),
        ({"context": float("nan")}, r"\.json: context must be 0 or more, not nan$"),
        ({"context": float("inf")}, r"\.json: context must be a finite number, not inf$"),
        ({"scale_step": float("inf")}, r"\.json: scale_step must be a finite number"),
        ({"exemplar": 10**30}, r"\.json: exemplar takes a whole number, not 1000"),
        ({"middle": "x"}, r"\.json: middle takes one of pixels, grid, not 'x'$"),
        ({"operations": [1]}, r"\.json: operations takes a list of Operation, or null for none, not \[1\]$"),
        ({"view": "flow"}, r"\.json: the encoder has no view 'flow'\. Known: rgb\.$"),
        ({"colour": 1}, UNFIT + "says 'colour'"),
        ({"head": 3}, r"\.json: head is 3, and no siamese head$"),
        ({"head": {"class_path": "os.system", "init_args": {}}}, r": head: the file asks for the class os\.system"),
        ({"head": {"class_path": HEAD, "init_args": {"dim": 16, "channels": -3}}},
         r"\.json: head: channels must be above 0, not -3$"),
        ({"head": {"class_path": HEAD, "init_args": {"dim": 16, "channels": "a"}}},
         r"\.json: head: channels takes a whole number, or null for none, not 'a'$"),
        ({"head": {"class_path": HEAD, "init_args": {"dim": 16, "size": 1}}}, "head does not fit .* it says 'size'"),
        ({"head": {"class_path": HEAD, "init_args": {"dim": 16, "channels": 5}}},
         r"\.safetensors holds another head's weights than encoder\.tracker\.json names: size mismatch"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_file_and_field(folder, change, said):
    path = folder / "encoder.tracker.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert re.search(said, refused(folder))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("json", None, "encoder.tracker.json is missing: a tracker is encoder.tracker.safetensors and encoder"),
        ("json", b"", "encoder.tracker.json is cut off or no JSON (line 1, column 1)"),
        ("json", b'{\n "scales": 3,', "encoder.tracker.json is cut off or no JSON (line 2, column 14)"),
        ("json", b"[]", "encoder.tracker.json is no description of a tracker"),
        ("json", DEEP.encode(), "encoder.tracker.json is nested too deeply"),
        ("json", b"\xff\xfe", "encoder.tracker.json is no text in UTF-8"),
        ("json", b'{"record": {}}', "it lacks 'head'"),
        ("safetensors", b"", "its weights are not those that encoder.tracker.json was written with"),
    ],
)
def test_a_file_that_is_gone_cut_off_or_another(folder, name, content, said):
    path = folder / f"encoder.tracker.{name}"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert said in refused(folder)


def test_a_tracker_is_no_encoder(folder, tmp_path, capsys):
    """Named as one it is told what to name; beside a run's other encoders it is none of them."""
    weights = folder / "encoder.tracker.safetensors"
    with pytest.raises(UserError, match=rf"holds a tracker's head and no encoder: pass {folder}/encoder\.safetensors"):
        Encoder.load(weights)
    assert main(["convert", "siamfc", str(weights), str(tmp_path / "back.pth"), "--to_original"]) == 2
    assert "a tracker's head and no encoder: pass" in capsys.readouterr().err
    assert main(["convert", "siamfc", "epoch_50.pth", str(tmp_path / "my.tracker.safetensors")]) == 2
    assert "give another name" in capsys.readouterr().err
    for name in ("safetensors", "json", "tracker.safetensors", "tracker.json"):
        (folder / f"encoder.{name}").rename(folder / f"encoder-rgb.{name}")
    assert list(encoder_files(folder)) == ["rgb"]


def test_an_encoder_may_have_the_name_of_a_tracker(tmp_path):
    toy_encoder().save(tmp_path / "my.tracker.safetensors")
    assert Encoder.load(tmp_path / "my.tracker.safetensors", trust=("tracked",)).backbone.width == 16

"""The top of the page: which kind of run, of one encoder or several, and the numbers looked for first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_runs import evaluation, read, row

from praxino.report.opening import summary
from praxino.report.read import Record, read_run


def retrieval(run: Path, at_1: float, encoder: str = "", protocol: str = "retrieval") -> dict[str, Any]:
    said = f"; encoder {encoder}" if encoder else ""
    content = evaluation(run) | {"protocol": protocol, "title": f"{protocol} on films{said}", "gallery": []}
    content["rows"] = [row("chance", 5, 20, None), row("trained", at_1, 90)]
    content["settings"] = {"encoder": encoder} if encoder else {}
    return content


def write(run: Path, name: str, content: dict[str, Any]) -> None:
    (run / "evaluations" / f"{name}.json").write_text(json.dumps(content))


@pytest.fixture
def several(run: Path) -> Path:
    """A run that left two encoders."""
    (run / "evaluations" / "retrieval.json").unlink()
    for name in ("rgb", "flow"):
        for end in ("safetensors", "json"):
            (run / f"encoder-{name}.{end}").touch()
    return run


def test_encoders_stand_apart_and_retrieval_first(several: Path) -> None:
    write(several, "knn@flow", retrieval(several, 11, "flow", "knn"))
    write(several, "retrieval@rgb-residual", retrieval(several, 13, "rgb"))
    write(several, "linear@rgb", retrieval(several, 17, "rgb", "linear"))
    write(several, "retrieval@rgb", retrieval(several, 19, "rgb"))
    write(several, "retrieval@flow", retrieval(several, 23, "flow"))
    page = read(several)
    names = list(read_run(several).evaluations)
    assert names == ["retrieval@flow", "retrieval@rgb", "retrieval@rgb-residual", "knn@flow", "linear@rgb"]
    titles = [text for tag, text in page.texts if tag == "h3"][:5]
    assert titles == [json.loads((several / f"evaluations/{name}.json").read_text())["title"] for name in names]
    assert "Retrieval @1, flow 23.0 % chance: 5.0 % Retrieval @1, rgb 19.0 % chance: 5.0 % Encoders 2 flow, rgb" in (
        page.words
    )
    assert "Settings evaluation retrieval encoder flow" in page.words
    assert page.words.count("Retrieval @1") == 2


def test_the_one_without_a_name_comes_first(several: Path) -> None:
    write(several, "retrieval", retrieval(several, 29))
    write(several, "retrieval@rgb", retrieval(several, 19, "rgb"))
    write(several, "retrieval-residual", retrieval(several, 31))
    assert list(read_run(several).evaluations) == ["retrieval", "retrieval-residual", "retrieval@rgb"]
    words = read(several).words
    assert "Retrieval @1 29.0 % chance: 5.0 % Retrieval @1, rgb 19.0 %" in words
    assert words.count("Retrieval @1") == 2


def test_of_one_encoder_one_number_leads(run: Path) -> None:
    (run / "encoder.safetensors").touch()
    write(run, "retrieval-residual", retrieval(run, 31))
    words = read(run).words
    assert words.count("Retrieval @1") == 1
    assert "Encoders" not in words


def test_how_one_of_several_encoders_is_evaluated(several: Path) -> None:
    assert f"To make one: praxino evaluate retrieval {several}:flow" in read(several).words


def test_files_that_a_system_hides_are_passed_over(run: Path) -> None:
    (run / "evaluations" / "._retrieval.json").write_bytes(b"\0\5\x16\7\xff")
    assert not read_run(run).problems


def test_the_loss_of_held_out_videos_is_a_fact(run: Path) -> None:
    lines = [{"kind": "epoch", "step": 10 * k, "validation/total": loss} for k, loss in enumerate((3, 1.25, 1.5))]
    with (run / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    assert "Validation loss 1.5 lowest: 1.25" in read(run).words


CATALOG = "catalog: {class_path: praxino.catalogs.folder.VideoFolder, init_args: {root: /films}}"
METHOD = "method: {class_path: praxino.methods.simclr.SimCLR}"
WHERE = " on the videos of VideoFolder (/films). No step has been taken yet."


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (METHOD, "SimCLR, trained without labels"),
        (f"kind: pretrain\n{METHOD}\nprotocol: {{view: rgb}}", "SimCLR, trained without labels"),
        (f"{METHOD}\nprotocol: {{view: rgb}}", "SimCLR, trained without labels"),
        ("protocol: finetune\nencoder: runs/a", "Fine-tuning with labels, from runs/a,"),
        ("kind: finetune\nencoder: runs/a\nprotocol: {view: rgb}", "Fine-tuning with labels, from runs/a,"),
        ("protocol: linear\nscratch: true", "A linear classifier with labels, from scratch,"),
        ("kind: linear\nencoder: null", "A linear classifier with labels, from an encoder,"),
        ("kind: track\nencoder: runs/a", "A run of the kind “track”, from runs/a,"),
        ("kind: 7", "A method, trained without labels"),
    ],
)
def test_which_kind_of_run(tmp_path: Path, recipe: str, said: str) -> None:
    record = Record(tmp_path, recipe=yaml.safe_load(f"{recipe}\n{CATALOG}"))
    assert summary(record) == said + WHERE


@pytest.mark.parametrize("recipe", ["catalog: 3", "catalog: {init_args: 3}", "method: []", "kind: []\nprotocol: 3"])
def test_an_odd_recipe_does_no_harm(tmp_path: Path, recipe: str) -> None:
    assert summary(Record(tmp_path, recipe=yaml.safe_load(recipe))).startswith(("A method", "[]"))

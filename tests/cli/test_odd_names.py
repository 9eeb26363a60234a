"""Names that are no UTF-8, or that would move a terminal's cursor, from the catalog to the report."""

import os
from pathlib import Path

import numpy as np
import pytest

from praxino.cli.main import main
from videos import write

ODD = [os.fsdecode(b"caf\xe9.mp4"), "red\x1b[31m.mp4"]
TINY = ["--method.backbone.width", "4", "--epochs", "2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five videos below a folder with such a name; one of them is damaged."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path_factory.mktemp("odd")) + b"/vid\xe9os"))
    folder.mkdir()
    for name in (*ODD, "a.mp4", "b.mp4"):
        write(os.fsencode(folder / "made.mp4").decode("utf-8", "surrogateescape"), 20, size=(32, 32))
        (folder / "made.mp4").rename(folder / name)
    (folder / os.fsdecode(b"damaged\xe9.mp4")).write_bytes(b"nothing")
    return folder


def test_from_the_catalog_to_the_report(folder, tmp_path, capfdbinary):
    run = tmp_path / os.fsdecode(b"r\xfcn")
    machine = ["--batch_size", "4", "--workers", "0", "--threads", "1", "--device", "cpu", "--max_left_out", "0.5"]
    assert main(["pretrain", "simclr_small", "--videos", str(folder), "--out", str(run), *TINY, *machine]) == 0
    (run / "encoder.json").unlink()  # as if it had been killed before
    assert main(["resume", str(run)]) == 0
    vectors = ["embed", str(run), "--videos", str(folder), "--out", str(run / "vectors.npz"), "--max_left_out", "0.5"]
    assert main([*vectors, "--device", "cpu", "--workers", "0"]) == 0
    assert main(["report", str(run)]) == 0
    said = b"".join(capfdbinary.readouterr())
    assert b"\x1b" not in said
    assert said.decode("ascii", "strict")
    assert rb"left out: damaged\xe9.mp4" in said
    assert set(ODD) < set(np.load(run / "vectors.npz")["video"].tolist())
    listed = (run / "videos.csv").read_bytes()
    assert b",caf\xe9.mp4," in listed
    assert b"damaged\xe9.mp4" in (run / "log.txt").read_bytes()
    assert r"damaged\xe9.mp4" in (run / "report.html").read_text(encoding="utf-8")


def test_a_mistake_with_such_a_name_is_one_line(folder, capfdbinary):
    assert main(["report", str(folder)]) == 2
    said = capfdbinary.readouterr().err
    assert said.count(b"\n") == 1
    assert rb"vid\xe9os" in said

"""Words that stand for others on the command line are no argument's own: `--videos DIR` means a catalog everywhere."""

import numpy as np
import pytest

import videos
from praxino.cli.line.evaluation import EVALUATIONS, evaluation_called
from praxino.cli.main import main
from praxino.cli.prepare import VIEWS
from praxino.configuration.classes import imported
from praxino.configuration.signatures import arguments_of
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.embedding import embed_videos
from praxino.training.pretrain import pretrain

CALLED = {
    **{name: evaluation_called(name) for name in EVALUATIONS},
    **{name: imported(path) for name, path in VIEWS.items()},
    "embed": embed_videos, "finetune": finetune, "pretrain": pretrain,
}  # fmt: skip


@pytest.mark.parametrize("name", CALLED)
def test_no_argument_is_called_videos(name):
    assert "videos" not in arguments_of(CALLED[name])


def test_views_of_a_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for row in range(4):
        (tmp_path / "DATA").mkdir(exist_ok=True)
        videos.write(tmp_path / f"DATA/{row}.mp4", range(60 * row, 60 * row + 30), size=(24, 32))
    tiny = "--steps 1 --batch_size 2 --workers 0 --device cpu --threads 1 --method.network.backbone.width 2"
    tiny += " --protocol.sampler.clips 1 --protocol.reestimate_batchnorm false --protocol.centred false"
    assert main(f"pretrain dpc_small --videos DATA --out RUN {tiny}".split()) in (None, 0)
    capsys.readouterr()
    assert main(["evaluate", "views", "RUN", "--videos", "DATA", "--most_videos", "3"]) in (None, 0)
    assert "sees of 3 videos" in capsys.readouterr().out


def test_a_long_file_in_stretches(tmp_path, capsys, monkeypatch):
    """Trained on, embedded and measured by the same word; a stretch is a video."""
    monkeypatch.chdir(tmp_path)
    videos.write(tmp_path / "film.mp4", 150, size=(24, 32))
    run = "pretrain simclr_small --videos film.mp4 --cut 1 --out RUN --steps 1 --batch_size 2 --workers 0 --device cpu"
    assert main(f"{run} --threads 1 --method.backbone.width 2".split()) in (None, 0)
    assert "film.mp4, in 6 stretches of 1 s" in capsys.readouterr().err
    words = "embed RUN --videos film.mp4 --cut 2 --out film.npz --workers 0 --sampler EvenClips --sampler.clips 3"
    assert main(words.split()) in (None, 0)
    saved = np.load("film.npz")
    assert saved["video"].tolist() == [f"film.mp4@{name}" for name in ("0-2", "2-4", "4-") for _ in range(3)]
    assert [int(second // 2) for second in saved["start"]] == [0] * 3 + [1] * 3 + [2] * 3
    assert (saved["end"] <= np.repeat([2.0, 4.0, 6.0], 3)).all()
    assert main(["evaluate", "instance", "RUN", "--baselines", "false", "--workers", "0"]) in (None, 0)
    assert "film.mp4: all 6 (no lists)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("embed RUN --cut 2 --out x.npz", "--cut takes the videos that it is to cut: give --videos DIR or --catalog"),
        (
            "pretrain simclr_small --videos . --cut 0 --out RUN",
            "--cut must be 0.001 seconds or more",
        ),
        ("pretrain simclr_small --videos . --cut two --out RUN", "--cut: "),
    ],
)
def test_mistakes_in_cutting_are_a_line(tmp_path, capsys, monkeypatch, words, line):
    monkeypatch.chdir(tmp_path)
    videos.write(tmp_path / "film.mp4", 20, size=(24, 32))
    assert main(words.split()) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert line in said

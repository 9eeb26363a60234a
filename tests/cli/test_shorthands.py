"""Words that stand for others on the command line are no argument's own: `--videos DIR` means a catalog everywhere."""

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

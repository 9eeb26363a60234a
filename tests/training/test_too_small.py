"""Videos whose frames are smaller than a crop: left out before the first step, counted and listed."""

import pytest
import torch

from praxino.errors import UserError
from praxino.rng import Rng
from praxino.streams.base import Canvas, Probed
from praxino.training.pretrain import pretrain
from praxino.training.videos import smallest_frames
from praxino.views.geometry import CentreCrop, Flip
from praxino.views.nearest import LiveliestCrop, NearestCrop
from praxino.views.pipeline import View
from praxino.views.sized import SizedCrop
from toys import Noise, ToyCatalog, ToyReader, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages


class Sizes(ToyStream):
    """Frames of 6 x 8 pixels; those of some videos are of 4 x 8."""

    def __init__(self, small):
        super().__init__()
        self.small = small

    def _height(self, video):
        return 4 if video.id[-2:] in self.small else 6

    def open(self, video, canvas=Canvas()):  # noqa: B008
        reader = ToyReader(video.id, 20)
        read = reader.read

        def cut(indices):
            pixels, present = read(indices)
            return pixels[:, : self._height(video)], present

        reader.read = cut
        return reader

    def probe(self, video, full=False):
        return Probed(20, "", (self._height(video), 8))


def run(out, small=("04", "09"), **more):
    method = toy_method()
    method.view = View([NearestCrop(5), Noise()])
    return pretrain(
        ToyCatalog(12), ToySampler(), method, toy_stages(epochs=2), toy_protocol(), out,
        streams={"rgb": Sizes(small)}, batch_size=5, workers=0, threads=1, device="cpu", max_left_out=0.2, **more,
    )  # fmt: skip


def test_they_are_left_out_counted_and_listed(tmp_path, capsys):
    made = run(tmp_path / "run")
    small = [one for one in made.videos() if one.row is None]
    assert [(one.id, one.status) for one in small] == [("video04", "too small"), ("video09", "too small")]
    assert {one.reason for one in small} == {"its rgb has frames of 4x8 pixels, and a view needs 5 of the shorter side"}
    assert "2 of 12 videos are left out, listed in videos.csv (the first: video04: its rgb" in capsys.readouterr().err
    assert made.finished
    assert run(tmp_path / "run", resume=True).finished


def test_a_run_of_which_all_are_too_small_is_refused(tmp_path):
    everyone = tuple(f"{number:02d}" for number in range(12))
    with pytest.raises(UserError, match=r"none of the 12 videos is usable \(the first: video00: its rgb has frames"):
        run(tmp_path / "run", everyone)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "operation",
    [
        NearestCrop(5), NearestCrop(5, at="centre"), NearestCrop(5, at="centre", outside="black"), LiveliestCrop(5),
        NearestCrop(5, outside="black"), SizedCrop(5), SizedCrop(5, p=0.5), CentreCrop(5), Flip(),
    ],
)  # fmt: skip
def test_an_operation_needs_what_it_does_not_refuse(operation):
    def drawn(side):
        operation.draw(Rng(0, "any"), (2, 1, 3), torch.tensor([9, side]).expand(2, 1, 3, 2))

    drawn(max(operation.least_side, 1))
    if operation.least_side:
        with pytest.raises(UserError, match="cuts 5x5 pixels"):
            drawn(operation.least_side - 1)


def test_of_a_stream_the_most_that_any_view_needs_before_it_changes_the_size():
    views = [View([Flip(), NearestCrop(5)]), View([NearestCrop(7)]), View([CentreCrop(3), NearestCrop(9)])]
    views += [View([LiveliestCrop(4)], "flow"), View([CentreCrop(4)], "mask")]
    canvas = {"flow": Canvas(exact=(6, 8))}
    assert smallest_frames(views, canvas) == {"rgb": (Canvas(), 7), "flow": (canvas["flow"], 4)}

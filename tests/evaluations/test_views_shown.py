"""praxino evaluate views: the pictures are what the views make of the frames, and what is missing is counted."""

import numpy as np
import pytest

from praxino.catalogs.base import Video
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError
from praxino.evaluations.views_shown import GAP, show_views
from praxino.views.pipeline import View
from toys import ToyBackbone, ToyCatalog, ToyPair, ToySampler, ToyStream


class Every(ToyPair):
    """Finds something in frames of even numbers."""

    def found(self, pixels, wanted):
        return self.make(pixels, wanted), wanted % 2 == 0


def encoders(streams=None):
    streams = {"rgb": ToyStream(), "flow": Every()} if streams is None else streams
    views = {"rgb": View([]), "flow": View([], "flow")}
    return {
        name: Encoder(ToyBackbone(channels=3 if name == "rgb" else 2), {name: view}, ToySampler(3), streams=streams)
        for name, view in views.items()
    }


def test_the_same_clip_through_every_view():
    shown = show_views(encoders(), ToyCatalog(), most_videos=4, seed=1)
    assert len(shown.pictures) == 4
    assert len({picture.title for picture in shown.pictures}) == 4
    assert "flow (to the right, then down)" in shown.pictures[0].caption
    # Frames of 6x8, four of a clip: one row of RGB, two of flow, all 768 pixels wide.
    assert shown.pictures[0].pixels.shape == (6 * 24 + GAP + 12 * 24, 768, 3)
    assert shown.row("rgb").values == {"frames present": 100.0}
    assert shown.row("flow").values == {"frames present": 50.0}


def test_pixels_are_repeated_and_nothing_else():
    one = {"": encoders()["rgb"]}
    (picture,) = show_views(one, ToyCatalog(1)).pictures
    small = picture.pixels[12::24, 12::24]
    assert small.shape == (6, 32, 3)
    # The upper half of each frame is half as bright as the lower one.
    upper, lower = small[:3].astype(float), small[3:].astype(float)
    assert (upper < lower).all()
    assert np.ptp(small.reshape(6, 4, 8, 3), axis=2).max() == 0  # every frame has rows of one colour


class Broken(ToyCatalog):
    def video(self, row):
        return Video(f"broken{row}" if row else "video", {"rgb": f"/toy/{row}"})


def test_what_cannot_be_read_is_listed_and_too_much_of_it_refused():
    alone = encoders({"rgb": ToyStream(("broken1",))})
    shown = show_views({"": alone["rgb"]}, Broken(8), most_videos=8, max_left_out=0.2)
    assert shown.left_out == [("broken1", "broke")]
    assert len(shown.pictures) == 7
    broken = {"": encoders({"rgb": ToyStream(("broken",))})["rgb"]}
    with pytest.raises(UserError, match="broke"):
        show_views(broken, Broken(8), most_videos=8)


def test_pictures_of_nothing_are_refused():
    broken = {"": encoders({"rgb": ToyStream(("video", "broken"))})["rgb"]}
    with pytest.raises(UserError, match="none of"):
        show_views(broken, Broken(3), most_videos=3, max_left_out=1.0)


def test_numbers_out_of_range():
    with pytest.raises(UserError, match="--most_videos"):
        show_views(encoders(), ToyCatalog(), most_videos=0)
    assert len(show_views(encoders(), ToyCatalog(3), most_videos=50).pictures) == 3


def test_other_clips_are_refused():
    unlike = encoders()
    unlike["flow"].sampler = ToySampler(2)
    with pytest.raises(UserError, match="sampler"):
        show_views(unlike, ToyCatalog())

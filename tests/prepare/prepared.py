"""What the tests of `prepare` share: small providers, folders of small videos, and all files that are left."""

import os
import shutil
import time

import numpy as np

import videos
from praxino.catalogs.folder import VideoFolder
from praxino.prepare.flow import prepare_flow
from praxino.streams.base import Derived


class Means(Derived):
    """The mean of a frame, the two before it and the one after it, as far as there are any: it depends on neighbours.

    Args:
        of: the stream whose frames are looked at.
        channels: how many equal ones come out.
        times: a factor of all levels.
    """

    fewer = 1

    def __init__(self, of: str = "rgb", channels: int = 2, times: int = 1) -> None:
        self.of = of
        self.channels = channels
        self.times = times

    def needs(self, wanted):
        return np.unique(np.concatenate([np.maximum(wanted + step, 0) for step in (-2, -1, 0, 1)]))

    def make(self, pixels, wanted):
        rows = {int(number): frame for number, frame in zip(self.needs(wanted), pixels, strict=True)}
        made = [
            self.times * np.mean([rows[int(k)][..., 0] for k in self.needs(np.array([number]))], 0) for number in wanted
        ]
        return np.repeat(np.stack(made).astype(np.uint8)[..., None], self.channels, -1)


class Halves(Means):
    """Finds something in every other frame."""

    def found(self, pixels, wanted):
        return self.make(pixels, wanted), wanted % 2 == 0


class Slow(Means):
    """Takes its time, so that it can be interrupted: more of it where the environment says so, on which no byte hangs.

    Args:
        seconds: for each call.
    """

    def __init__(self, seconds: float = 0.05) -> None:
        super().__init__()
        self.seconds = seconds

    def make(self, pixels, wanted):
        time.sleep(float(os.environ.get("SLOW_SECONDS", self.seconds)))
        return super().make(pixels, wanted)


def folder_of(root, lengths=(20, 9, 14), size=(48, 64)):
    """Videos in two class folders, and a broken one."""
    for k, frames in enumerate(lengths):
        place = root / "ab"[k % 2]
        place.mkdir(parents=True, exist_ok=True)
        videos.write(place / f"v{k}.mp4", frames, size=size, seed=k)
    broken = videos.make("text", root / "a")
    return root, f"a/{broken.name}"


def left(folder):
    """All files below a folder, by their places, hidden ones, too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def flow(videos, out, **more):
    return prepare_flow(VideoFolder(videos), out, **{"provider": Means(), "workers": 0, **more})


def again(folder, to):
    shutil.copytree(folder, to)
    return to

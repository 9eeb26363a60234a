"""Keypoints and masks of a person by MediaPipe's BlazePose, from videos alone."""

from __future__ import annotations

import functools
import hashlib
import os
import weakref
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError, nearest
from praxino.streams.base import Derived
from praxino.streams.blazepose_networks import Networks, OpenCVNetworks, Pose, next_region
from praxino.streams.blazepose_region import Region
from praxino.streams.chains import chains_of, frames_of, refuse_chain
from praxino.streams.heatmaps import draw_points
from praxino.streams.opencv import one_thread, opencv

# Which of the 33 landmarks the 17 keypoints of COCO are: nose, then left and right of eye, ear, shoulder, elbow, wrist,
# hip, knee and ankle, left being the person's own.
COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
Library = Literal["opencv", "litert"]


class Person(NamedTuple):
    """Who was seen in a frame: the pose, and the region in which it is."""

    pose: Pose
    region: Region


# What networks were asked last, and whom they saw.
_LAST: weakref.WeakKeyDictionary[Networks, tuple[tuple[Any, ...], list[Person | None]]] = weakref.WeakKeyDictionary()


class _BlazePose(Derived):
    """What both streams share: they find the person, and their classes draw it."""

    def __init__(
        self,
        weights: str | Path,
        of: str = "rgb",
        confidence: float = 0.5,
        chain: int = 16,
        library: Library = "opencv",
    ) -> None:
        name = type(self).__name__
        if library not in get_args(Library):
            raise UserError(f"{name}: unknown library {library!r}.{nearest(library, get_args(Library))}")
        if not 0 <= confidence <= 1:
            raise UserError(f"{name} takes a confidence from 0 to 1, not {confidence}")
        refuse_chain(name, chain)
        self.weights = str(weights)
        self.of = of
        self.confidence = confidence
        self.chain = chain
        self.library = library

    def needs(self, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
        return frames_of(wanted, self.chain)

    def make(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The maps uint8 [len(wanted), H, W, C].

        Raises:
            ValueError: if the frames are not in colour.
        """
        return self.found(pixels, wanted)[0]

    def found(
        self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        height, width, channels = pixels.shape[1:]
        if channels != 3:
            raise ValueError(f"BlazePose needs frames in RGB, and those of {self.of} have {channels} channels")
        maps = np.zeros((len(wanted), height, width, self.channels), np.uint8)
        present = np.zeros(len(wanted), np.bool_)
        cv2 = opencv(type(self).__name__)
        with one_thread(cv2):
            try:
                for row, person in enumerate(self.people(pixels, wanted)):
                    if person is not None:
                        maps[row] = self.drawn(person, height, width)
                        present[row] = True
            except cv2.error as error:
                raise ValueError(f"OpenCV cannot look at its frames: {error.err}") from error
        return maps, present

    def people(self, pixels: NDArray[np.uint8], wanted: NDArray[np.int64]) -> list[Person | None]:
        """The person in each wanted frame. Asked for the same frames once more, be it by the other of both streams,
        the networks look at nothing."""
        networks = self.networks()
        asked = self.confidence, self.chain, wanted.tobytes(), pixels.shape, hashlib.sha256(pixels.tobytes()).digest()
        if _LAST.get(networks, ((), []))[0] != asked:
            frames = self.needs(wanted)
            people: list[Person | None] = []
            for looked, some in chains_of(wanted, self.chain):
                followed = self.followed(pixels[np.searchsorted(frames, looked)])
                people += [person for number, person in zip(looked, followed, strict=True) if number in some]
            _LAST[networks] = asked, people
        return _LAST[networks][1]

    def followed(self, frames: NDArray[np.uint8]) -> Iterator[Person | None]:
        """The person in each frame [n, H, W, 3] of a chain: there where the frame before says, else searched for."""
        networks, region = self.networks(), None
        for frame in frames:
            region = region or networks.search(frame)
            person = None if region is None else Person(networks.look(frame, region), region)
            if person is None or person.pose.flag < self.confidence:
                region = None
                yield None
            else:
                region = next_region(person.pose, person.region, *frame.shape[:2])
                yield person

    def networks(self) -> Networks:
        """This process's networks, loaded when they are first needed."""
        return _loaded(opencv(type(self).__name__), self.weights, self.library, os.getpid())

    @abstractmethod
    def drawn(self, person: Person, height: int, width: int) -> NDArray[np.uint8]:
        """The maps of a frame, [height, width, C]."""


class BlazePoseKeypoints(_BlazePose):
    """The 17 keypoints of COCO of one person, a channel each, drawn as Gaussians (Bazarevsky et al., BlazePose, 2020).

    The network sees one person in a frame, at best a large one that is seen whole; of a crowd it makes nonsense. It
    looks at a square region, taken from the landmarks of the frame before, and at the start of a chain searches: it
    looks at the whole frame, and then there where it saw someone. So a frame is a function of those before it in its
    chain, and all of them are decoded and looked at: 35 to 50 ms of a core each. For more than a trial, make the maps
    once, as files. Without MediaPipe's smoothing over time and refinement by heat maps.

    A Gaussian is 255 at its keypoint, and its sigma is 2 pixels where the shorter side has 192, at least 0.5. Where the
    network's own confidence is too low the maps are 0, and the frame is not present, which is counted.

    Args:
        weights: path of the file `mediapipe-0.10.21-*.whl`, which holds the network (Apache-2.0); nothing in it is
            run. It is got with: pip download --no-deps --python-version 3.12 --only-binary=:all: mediapipe==0.10.21
        of: the stream whose frames are looked at, on their canvas.
        confidence: of the network in its pose, 0 to 1, below which there is nobody.
        chain: frames after which the search begins anew.
        library: what runs the network: "opencv"; or "litert" (pip install "praxino[litert]"), which is more than twice
            as fast, and searches with MediaPipe's own detector first, which finds smaller people.

    Raises:
        UserError: if a number is out of range or the library unknown; in `make`, if OpenCV 5, LiteRT or the weights are
            not there.
    """

    channels = 17

    def drawn(self, person: Person, height: int, width: int) -> NDArray[np.uint8]:
        points = person.region.to_frame(person.pose.points[list(COCO)])
        return draw_points(points, height, width)


class BlazePoseMask(_BlazePose):
    """The mask of one person: how sure BlazePose is of each pixel, in steps of 1/255, put back into the frame.

    Everything else is as in `BlazePoseKeypoints`: it is the same network.

    Args:
        weights: as of `BlazePoseKeypoints`.
        of: the stream whose frames are looked at, on their canvas.
        confidence: as of `BlazePoseKeypoints`.
        chain: as of `BlazePoseKeypoints`.
        library: as of `BlazePoseKeypoints`.

    Raises:
        UserError: as `BlazePoseKeypoints`.
    """

    channels = 1

    def drawn(self, person: Person, height: int, width: int) -> NDArray[np.uint8]:
        share = 1 / (1 + np.exp(-person.pose.mask.clip(-50, 50)))
        mask = person.region.paste(opencv(type(self).__name__), share, height, width)
        return np.rint(mask * 255).astype(np.uint8)[..., None]


@functools.lru_cache(maxsize=2)
def _loaded(cv2: Any, weights: str, library: Library, process: int) -> Networks:
    # By process: one that was forked must not share what another has loaded.
    if library == "litert":
        from praxino.streams.blazepose_litert import LiteRTNetworks

        return LiteRTNetworks(cv2, weights)
    return OpenCVNetworks(cv2, weights)

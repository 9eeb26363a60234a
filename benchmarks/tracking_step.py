"""How many frames a second a tracker follows on one core, with three scales in one forward and one by one; and how long
a step of a head's training takes, with its correlation as one product of matrices and as torch's convolution.

    python benchmarks/tracking_step.py [--width 16] [--frames 20] [--otb DIR]

With a folder of sequences in OTB's layout, and got10k installed, also how long its first sequence takes, reading
included: in got10k's own loop, as SiamFC's public code is run (the three scales one by one), and in ours.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from praxino.backbones.resnet2d import ResNet18
from praxino.clips.samplers import EvenClips
from praxino.encoders.encoder import Encoder
from praxino.encoders.siamese import SiameseHead
from praxino.evaluations.tracking.tracker import Tracker
from praxino.losses.siamese import correlate, focal, label_map
from praxino.views.colour import Normalise
from praxino.views.pipeline import View


class OneByOne(Tracker):
    """The same, a forward for each scale."""

    @torch.inference_mode()
    def update(self, frame: np.ndarray) -> np.ndarray:
        """As of `Tracker`."""
        responses = [
            self.head.response(self._template, self.trunk(self._on_device(picture[None])))
            for picture in self.crops(frame)
        ]
        return self.moved(torch.cat(responses)[:, 0].cpu().numpy(), *frame.shape[:2])


def seconds(works: Mapping[str, Callable[[], object]], times: int) -> dict[str, float]:
    """The medians of so many runs of each, in turn, after one that is not counted: the thread's processor time."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(times + 1):
        for name, work in works.items():
            began = time.thread_time()
            work()
            taken[name].append(time.thread_time() - began)
    return {name: statistics.median(one[1:]) for name, one in taken.items()}


def whole_sequence(encoder: Encoder, head: SiameseHead, root: str) -> dict[str, Callable[[], object]]:
    """A sequence followed from its files, frame by frame: by got10k's loop, and by ours."""
    from got10k.trackers import Tracker as Got10kTracker

    from praxino.catalogs.otb import OTB
    from praxino.evaluations.tracking.following import follow

    class InTheToolkit(Got10kTracker):
        """Boxes from 1 and PIL's pictures, as the toolkit has them."""

        def init(self, image, box):
            self.own = OneByOne(encoder, head)
            self.own.init(np.asarray(image), np.asarray(box) - (1, 1, 0, 0))

        def update(self, image):
            return np.add(self.own.update(np.asarray(image)), (1, 1, 0, 0))

    catalog = OTB(root)
    files, box = catalog[0].files["rgb"], catalog.boxes(0)[0] + (1, 1, 0, 0)
    tracker = Tracker(encoder, head)
    return {
        "got10k's loop, one by one": lambda: InTheToolkit("ours").track(files, box),
        "ours": lambda: follow(catalog, 0, {"ours": tracker}),
    }


def grouped(exemplar: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
    """`correlate` of pairs by torch's convolution."""
    return F.conv2d(search.flatten(0, 1)[None], exemplar, groups=len(exemplar)).transpose(0, 1)


def step(correlation: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[[], None]:
    """Loss and gradient of eight pairs of 128 channels."""
    exemplar = torch.randn(8, 128, 15, 15, requires_grad=True)
    search = torch.randn(8, 128, 30, 30, requires_grad=True)
    labels = label_map(16, 16)
    return lambda: focal(1e-3 * correlation(exemplar, search), labels).backward()


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--otb")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = Encoder(ResNet18(asked.width).eval(), {"rgb": View([Normalise()])}, EvenClips(1, frames=1))
    head = SiameseHead(encoder.backbone.dim, min(256, encoder.backbone.dim), 1e-3)
    frame = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    trackers = {"three scales in one forward": Tracker(encoder, head), "one by one": OneByOne(encoder, head)}
    for tracker in trackers.values():
        tracker.init(frame, (300, 150, 60, 80))
    taken = seconds({name: partial(one.update, frame) for name, one in trackers.items()}, asked.frames)
    for name, one in taken.items():
        print(f"{name:30} {1 / one:8.2f} frames/s")
    print(f"{'ratio':30} {taken['one by one'] / taken['three scales in one forward']:8.2f}")
    if asked.otb:
        taken = seconds(whole_sequence(encoder, head, asked.otb), 3)
        for name, one in taken.items():
            print(f"{name:30} {one:8.1f} s for the first sequence")
        print(f"{'ratio':30} {taken[next(iter(taken))] / taken['ours']:8.2f}")
    correlations = {"products of matrices": correlate, "convolution in groups": grouped}
    taken = seconds({name: step(one) for name, one in correlations.items()}, max(3, asked.frames // 5))
    for name, one in taken.items():
        print(f"{name:30} {1e3 * one:8.0f} ms for loss and gradient of eight pairs")
    print(f"{'ratio':30} {taken['convolution in groups'] / taken['products of matrices']:8.2f}")


if __name__ == "__main__":
    main()

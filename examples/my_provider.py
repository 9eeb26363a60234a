"""Keypoints by a detector of one's own: a class in one's own file. Nothing is registered.

cd examples && praxino prepare keypoints --provider my_provider.KeypointRCNN --videos DIR --out VIEWS

Here it is torchvision's Keypoint R-CNN, which sees many persons and needs no region: pip install torchvision, and its
weights are downloaded when it is first used. Any other detector goes into `load` and `found` in the same way.
"""

import functools
import os
from typing import Any

import numpy as np
import torch

from praxino.streams import Derived
from praxino.streams.heatmaps import draw_points


@functools.lru_cache(maxsize=1)
def load(process: int) -> Any:
    """The network of this process: the stream below crosses into loading processes, so it holds no network itself."""
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    return keypointrcnn_resnet50_fpn(weights="DEFAULT").eval()


class KeypointRCNN(Derived):
    """The 17 keypoints of COCO of all persons of a frame, one over the other.

    Args:
        score: of a person, 0 to 1, below which it is left out.
        of: the stream whose frames are looked at.
    """

    channels = 17

    def __init__(self, score: float = 0.8, of: str = "rgb") -> None:
        self.score = score
        self.of = of

    def needs(self, wanted: np.ndarray) -> np.ndarray:
        return wanted

    def make(self, pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        return self.found(pixels, wanted)[0]

    @torch.no_grad()
    def found(self, pixels: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maps uint8 [n, H, W, 17] of the frames [n, H, W, 3], and in which of them there is anybody."""
        maps = np.zeros((*pixels.shape[:3], 17), np.uint8)
        present = np.zeros(len(pixels), bool)
        for row, frame in enumerate(pixels):
            (seen,) = load(os.getpid())([torch.from_numpy(frame).permute(2, 0, 1) / 255])
            people = seen["keypoints"][seen["scores"] >= self.score, :, :2].numpy()  # [persons, 17, 2]
            present[row] = len(people) > 0
            for points in people:
                maps[row] = np.maximum(maps[row], draw_points(points, *frame.shape[:2]))
        return maps, present

"""A view of one's own beside CoCon's four: a class in one's own file, named in one's own recipe.

cd examples && praxino pretrain my_view.yaml --videos DIR --streams.segmentation.root VIEWS/segmentation \\
    --streams.keypoints.root VIEWS/keypoints

Its encoder is read with praxino.load_encoder("runs/my_view:edges", trust=("my_view",)).
"""

import numpy as np

from praxino.streams import Derived


class Edges(Derived):
    """How steeply the grey level changes at each pixel, in one channel: outlines without colours.

    Args:
        of: the stream whose frames are looked at, on their canvas.
        gain: levels out for a change of one level a pixel.
    """

    channels = 1

    def __init__(self, of: str = "rgb", gain: float = 4.0) -> None:
        self.of = of
        self.gain = gain

    def needs(self, wanted: np.ndarray) -> np.ndarray:
        return wanted

    def make(self, pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """uint8 [n, H, W, 1] of frames [n, H, W, 3]."""
        down, right = np.gradient(pixels.mean(3), axis=(1, 2))
        return np.rint(self.gain * np.hypot(down, right)).clip(0, 255).astype(np.uint8)[..., None]

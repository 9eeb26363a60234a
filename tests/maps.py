"""Files of masks and keypoints as `Masks` and `HeatMaps` read them: `from maps import write_maps`."""

import numpy as np


def write_maps(root, video, frames):
    """Maps of noise below root/segmentation and root/keypoints, for the video Class/<video>.mp4."""
    rng = np.random.default_rng(len(video))
    for folder, name, key, shape in (
        ("segmentation/segmasks", "segmask", "seg", (24, 32)), ("keypoints/heatmaps", "heatmap", "hm", (17, 24, 32))
    ):  # fmt: skip
        place = root / folder / "Class" / video
        place.mkdir(parents=True)
        for number in range(1, frames + 1):
            np.savez(place / f"{name}_{number:05d}.npz", **{key: rng.integers(0, 256, shape, np.uint8)})

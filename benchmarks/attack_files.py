"""Judges damaged videos and odd files for `attack.py`: what they are, once everything about them was found to agree."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mutated
import numpy as np

import attack_inputs
import videos
from praxino.catalogs.base import Catalog, Files, Video
from praxino.errors import UnreadableVideo
from praxino.streams.choose import default_stream
from praxino.streams.frames import FrameFolder
from praxino.streams.probe import probe


def damaged_copy(number: int, kind: str, data: bytes, folder: Path, seed: int) -> tuple[str, Any]:
    """One damaged copy of a video."""
    rng = np.random.default_rng([seed, number, zlib.crc32(kind.encode())])
    path = folder / f"{number}_{kind}{mutated.KINDS[kind][0]}"
    path.write_bytes(mutated.mutated(data, rng))
    try:
        return mutated.outcome(path, rng), ""
    finally:
        path.unlink()


def odd_file(kind: str, group: str, folder: Path) -> tuple[str, Any]:
    """One odd file, probed, opened and read; the second is what was made, for `embedded`."""
    own = folder / f"{group}-{list(attack_inputs.KINDS[group]).index(kind)}".replace(" ", "_")
    own.mkdir()
    files = attack_inputs.made(group, kind, own)
    named = files if isinstance(files, tuple) else str(files)
    video = Video(kind, {"rgb": named})
    (found,) = probe([video], {}, ["rgb"], 1, "full")
    if isinstance(default_stream(named), FrameFolder):
        column = pictures(video)
    else:
        column = mutated.outcome(Path(files), np.random.default_rng(0))
    if (found.status == "unreadable") != (column == "unreadable"):
        raise RuntimeError(f"the probe says {found}, and read it is {column}")
    if found.status == "unreadable" and (not found.reason or len(found.reason.splitlines()) > 1):
        raise RuntimeError(f"no reason of one line: {found.reason!r}")
    return column, named


def pictures(video: Video) -> str:
    """What a folder or a picture is, after frames alone and together were found to be those that Pillow reads."""
    try:
        reader = FrameFolder().open(video)
        whole, there = reader.read(np.arange(len(reader.times)))
    except UnreadableVideo:
        return "unreadable"
    for number, path in enumerate(reader.paths):
        plain = plain_picture(path)
        assert there[number] == (plain is not None), path
        if plain is not None and plain.shape == whole[number].shape:
            np.testing.assert_array_equal(whole[number], plain, err_msg=path)
        if there[number]:
            np.testing.assert_array_equal(reader.read([number])[0][0], whole[number], err_msg=path)
    return "clean" if there.all() else "damaged"


def plain_picture(path: str) -> Any:
    """A picture as Pillow alone reads it; None where it cannot."""
    from PIL import Image, ImageOps

    try:
        assert os.path.isfile(path)
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode.startswith("I"):  # grey of 16 bits, which Pillow cuts off instead of scaling it
                return np.asarray(picture)[:, :, None].repeat(3, axis=2) // 256
            return np.asarray(picture.convert("RGB"))
    except Exception:
        return None


class Listed(Catalog):
    """Files by their ids."""

    def __init__(self, files: Mapping[str, Files]) -> None:
        self.files = list(files.items())

    def __len__(self) -> int:
        return len(self.files)

    def video(self, row: int) -> Video:
        return Video(self.files[row][0], {"rgb": self.files[row][1]})


def embedded(way: str, files: Mapping[str, Files], refused: set[str], folder: Path) -> tuple[str, Any]:
    """All odd files with one good video among them, embedded at once: those that can be read, and no others."""
    from attack_checkpoints import called
    from praxino.backbones.r3d import R3D
    from praxino.clips.samplers import EvenClips
    from praxino.encoders.encoder import Encoder
    from praxino.evaluations.embedding import embed_videos
    from praxino.views.geometry import CentreCrop
    from praxino.views.pipeline import View

    good = str(videos.write(folder / "good.mp4"))
    view = View([CentreCrop(32, exact=False)])
    encoder = Encoder(R3D(width=2), {"rgb": view}, EvenClips(2, 4, short="repeat")).eval()
    if way == "praxino embed":
        run = encoder.save(folder / "encoder.safetensors")
        words = ["--videos", str(folder), "--max_left_out", "1", "--workers", "0", "--device", "cpu"]
        code, said = called(["embed", str(run), *words, "--out", str(folder / "vectors.npz")])
        if code:
            raise RuntimeError(said)
        made = np.load(folder / "vectors.npz")
        own = made["vectors"][made["video"] == "good.mp4"]
    else:
        all = embed_videos(
            encoder, Listed({**files, "good": good}), folder / "vectors.npz", workers=0, device="cpu", max_left_out=1
        )
        own = all.vectors[all.video == "good"]
        differ = {id for id, _ in all.left_out} ^ refused
        if differ:
            raise RuntimeError(f"left out by one and not by the other: {differ}")
    np.testing.assert_allclose(own, encoder.embed(good), atol=1e-5)
    return "clean", ""

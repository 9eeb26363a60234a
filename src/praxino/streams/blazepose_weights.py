"""The networks of BlazePose, out of the file that a user has downloaded: it is read as a zip, and never imported."""

from __future__ import annotations

import hashlib
import lzma
import os
import zipfile
import zlib
from typing import Literal

from praxino.errors import UserError

Part = Literal["pose_landmark_full", "pose_detection"]
DOWNLOAD = "pip download --no-deps --python-version 3.12 --only-binary=:all: mediapipe==0.10.21"
# Of each network: its place in the wheel, its bytes, and the SHA-256 of these.
PARTS: dict[Part, tuple[str, int, str]] = {
    "pose_landmark_full": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        6440512,
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "pose_detection": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        2959046,
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
}


def read_weights(wheel: str, part: Part) -> bytes:
    """One of the networks, as it was published.

    Args:
        wheel: path of the file `mediapipe-0.10.21-*.whl`.
        part: which network.

    Returns:
        The bytes of a TFLite file.

    Raises:
        UserError: if they are not there, or are others.
    """
    place, size, digest = PARTS[part]
    try:
        if not os.path.isfile(wheel):
            raise ValueError("there is no such file")
        with zipfile.ZipFile(wheel) as archive:
            # Before it is unpacked: another file of this name may unpack to anything.
            if archive.getinfo(place).file_size != size:
                raise ValueError(f"{os.path.basename(place)} in it has another size")
            data = archive.read(place)
    except KeyError:
        raise _refused(wheel, f"it holds no {place}") from None
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise _refused(wheel, str(getattr(error, "strerror", None) or error)) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _refused(wheel, f"{os.path.basename(place)} in it is another network, or damaged")
    return data


def _refused(wheel: str, why: str) -> UserError:
    return UserError(f"{wheel} is not the file with BlazePose's weights: {why}. Get it with: {DOWNLOAD}")

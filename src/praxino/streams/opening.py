"""Opens video files for decoding, and says in a few words why one cannot be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from praxino.errors import UnreadableVideo

# Of these FFmpeg makes moving pictures out of plain text: whatever is no video in a file named .txt would be one.
TEXT_CODECS = ("ansi", "bintext", "xbin", "idf")
# Tab, line feed, backspace, form feed, carriage return, and the escape of terminals.
TEXT_CONTROLS = b"\t\n\b\f\r\x1b"


def refuse_odd_file(path: str) -> os.stat_result:
    """Refuses what is no regular file, since to open a pipe is to wait for its other end.

    Args:
        path: a file.

    Returns:
        Its status.

    Raises:
        OSError: if there is none.
        ValueError: if it is a folder, a pipe, a socket or a device, or a path that no system can have.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise ValueError("it is a folder, not a video file")
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is a pipe, a socket or a device, not a video file")
    return status


def refuse_text(path: str) -> None:
    """Refuses a text file by its content: FFmpeg reads some as pictures, and others as lists of files to be opened.

    Args:
        path: a regular file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is text.
    """
    with open(path, "rb") as file:
        start = file.read(4096)
    if start and (start[:2] in (b"\xff\xfe", b"\xfe\xff") or _is_text(start)):
        raise ValueError("it is a text file, not a video")


def _is_text(start: bytes) -> bool:
    # No video's first bytes are without control characters; text in any encoding of one byte or of UTF-8 is.
    return not any(byte == 127 or (byte < 32 and byte not in TEXT_CONTROLS) for byte in start)


def open_video(
    path: str, threads: int = 1, quick: bool = False, decoder: Mapping[str, str] | None = None
) -> tuple[Any, Any]:
    """Opens a file for decoding: the container and its first real video stream.

    Args:
        path: the file.
        threads: decoder threads.
        quick: do not decode the first frames while opening. What they would have told (how far H.264 reorders) is then
            guessed while decoding, so that frames at the start may be lost: whoever passes this checks what comes out.
        decoder: options of the decoder.

    Raises:
        av.FFmpegError, OSError: if it cannot be opened.
        ValueError: if it is no regular file, or holds no video that can be decoded.
    """
    import av

    if refuse_odd_file(path).st_size == 0:
        raise ValueError("the file is empty")
    # Absolute, since FFmpeg takes what stands before a colon for a protocol. The option goes to the decoder that looks
    # into the file while it is opened, not to the one that is used later.
    options = {"skip_frame": "all"} if quick else {}
    container = av.open(os.path.abspath(path), options=options, **_lenient(av.__version__))
    try:
        stream = _first_video(container)
        stream.codec_context.thread_count = threads
        if decoder:
            stream.codec_context.options = dict(decoder)
    except BaseException:
        container.close()
        raise
    return container, stream


def _lenient(version: str) -> dict[str, Any]:
    # Up to PyAV 18 a title that is no UTF-8 is an error unless it is asked for otherwise; 19 knows no such argument.
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


def _first_video(container: Any) -> Any:
    import av

    for stream in container.streams.video:
        # The cover picture of a piece of music is no video.
        if stream.disposition & av.stream.Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise ValueError("there is no decoder for its video")
        if stream.codec_context.codec.canonical_name in TEXT_CODECS:
            raise ValueError("it is a text file, not a video")
        return stream
    raise ValueError("the file has no video stream")


@contextmanager
def unreadable(id: str) -> Iterator[None]:
    """Whatever a file may do to its reader (FFmpeg, the system, memory) becomes UnreadableVideo.

    Args:
        id: the video's.
    """
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError, MemoryError, OverflowError) as error:
        raise UnreadableVideo(id, reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """Why a file cannot be read, in a few words."""
    import av

    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, MemoryError):
        return "there is not enough memory for its frames"
    if isinstance(error, av.error.EOFError):
        return "it breaks off before its first frame"
    if isinstance(error, av.InvalidDataError):
        return "it is no video file, or damaged from the start"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__

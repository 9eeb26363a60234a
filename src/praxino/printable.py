"""Text of others' making (names of files, what a decoder says) as a terminal may get it."""

from __future__ import annotations

import re

# Controls, which move a cursor or end a line, and marks that turn the direction of what follows.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# A byte of a name that is no UTF-8 comes from the system as one of the first of these.
HALVES = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """A text whose control characters are written as escapes, so that a line of a log stays one."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def printable(text: object) -> str:
    r"""`one_line`, and bytes that are no UTF-8 as escapes, too: `caf\xe9.mp4`. Any terminal takes it."""
    return odd_bytes_shown(one_line(str(text)))


def odd_bytes_shown(text: str) -> str:
    """A text that is UTF-8 throughout: bytes that are none as escapes."""
    return HALVES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number - 0xDC00:02x}" if 0xDC80 <= number <= 0xDCFF else f"\\u{number:04x}"


def counted(count: int, what: str) -> str:
    """ "1 video", "12 videos", "2 classes", "2 boxes": the last word of several takes an s, or es."""
    return f"{count} {what}" if count == 1 else f"{count} {what}{'es' if what.endswith(('s', 'x')) else 's'}"


def are(count: int) -> str:
    """ "is" or "are"."""
    return "is" if count == 1 else "are"

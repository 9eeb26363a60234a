"""The page around what is shown: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from praxino.errors import UserError
from praxino.files import read_text, write_text
from praxino.printable import odd_bytes_shown
from praxino.report.markup import section, text
from praxino.report.style import CSS

# The page asks for nothing from anywhere, and a browser that reads this line will not let it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
POLICY_TAG = f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">'
OURS = (
    ": report of a run</title>",
    ": runs side by side</title>",
    ": hits of a search</title>",
    ": the same footage</title>",
)
HEAD = 4096  # characters, in which a page's title stands


def document(name: str, kind: str, head: str, parts: Mapping[str, tuple[str, str]], foot: str) -> str:
    """A whole page.

    Args:
        name: of what it shows.
        kind: of page, behind the name in the title.
        head: HTML below the name.
        parts: id -> title and HTML of each section, which the navigation can jump to.
        foot: the last sentence.
    """
    links = "".join(f'<li><a href="#{id}">{text(title)}</a></li>' for id, (title, _) in parts.items())
    body = "".join(section(id, title, content) for id, (title, content) in parts.items())
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{POLICY_TAG}"
        f"<title>{text(name)}: {text(kind)}</title><style>{CSS}</style></head><body>"
        f'<header><p class="eyebrow">praxino · {text(kind)}</p><h1>{text(name)}</h1>{head}</header>'
        f'<nav aria-label="Parts of the report"><ul>{links}</ul></nav><main>{body}</main>'
        f"<footer>{text(foot)}</footer></body></html>\n"
    )


def checked(out: str | Path) -> Path:
    """Where a page is to be written.

    Raises:
        UserError: if it does not end in .html, its folder is not there, or it is there and no page of ours.
    """
    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"--out {path} does not end in .html, the one format of a report: pass --out {path}.html")
    if not path.parent.is_dir():
        raise UserError(f"the folder {path.parent} does not exist: make it, or pass another --out")
    if path.is_file() and not any(title in _head(path) for title in OURS):
        raise UserError(f"{path} is there, and no report of praxino: pass another --out, or move it away")
    return path


def _head(path: Path) -> str:
    try:
        return read_text(path)[:HEAD]
    except (OSError, UnicodeDecodeError):
        return ""


def write_page(path: Path, page: str) -> Path:
    """Writes a page, aside first.

    Raises:
        UserError: if it cannot be written.
    """
    # Bytes of names that are no UTF-8, and half a character of a hand-written file, are shown as their numbers.
    write_text(path, odd_bytes_shown(page), shared=True)
    return path

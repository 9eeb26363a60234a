"""One frame of a video as a page on which a box is drawn: one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from praxino.evaluations.tracking.beginning import begun, frames_between, opened
from praxino.evaluations.tracking.first_frame_script import SCRIPT
from praxino.evaluations.tracking.first_frame_style import CSS
from praxino.files import write_text
from praxino.printable import printable

NAME = "first_frame.html"
QUALITY = 92
# The page asks for nothing from anywhere, and a browser that reads this line will not let it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
FIELDS = {"x": "X", "y": "Y", "width": "Width", "height": "Height"}


def write_first_frame(video: str | Path, folder: str | Path, begin: float = 0.0) -> Path:
    """Writes `first_frame.html`: a box is drawn in it, and its words `--box X,Y,W,H` are shown to be copied.

    Args:
        video: a file, or a folder of pictures.
        folder: where to.
        begin: seconds; the frame that is shown then is on the page, turned as the file says.

    Returns:
        The file.

    Raises:
        UnreadableVideo: if there is nothing to decode.
        UserError: if the time lies outside of the video, or the file cannot be written.
    """
    with opened(video) as reader:
        first, _ = frames_between(reader.times, begin)
        pixels, _ = begun(reader, first)
        seconds = float(reader.times[first])
    path = Path(folder) / NAME
    write_text(path, page(pixels, f"{printable(Path(video).name)} at {seconds:.2f} s"))
    return path


def page(pixels: NDArray[np.uint8], title: str) -> str:
    """The page.

    Args:
        pixels: the frame, uint8 [H, W, 3].
        title: says which it is.
    """
    height, width = pixels.shape[:2]
    name = html.escape(title)
    fields = "".join(
        f'<label>{said}<input id="{id}" type="number" step="1" inputmode="numeric"></label>'
        for id, said in FIELDS.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{name}</title><style>{CSS}</style></head><body><main>
<h1>Draw a box around what is to be followed</h1>
<p id="how">With mouse or finger: press, drag, let go. By keyboard: where the picture has the focus, arrow keys move
the box, with Shift they change its size, and a key that is held goes faster. Or type the numbers.</p>
<div id="stage" tabindex="0" role="application" aria-label="{name}" aria-describedby="how"
style="--width:{width};--height:{height}"><img alt="" draggable="false" src="{_data(pixels)}">
<div id="box" hidden></div></div>
<p class="soft">{name}, {width} x {height} pixels. X and Y are counted from 0, from the left and the top.</p>
<div class="row">{fields}</div>
<div class="row words"><output id="words" aria-live="polite"></output>
<button id="copy" type="button" disabled>Copy</button><span id="said" role="status"></span></div>
</main><script>const WIDTH={json.dumps(width)},HEIGHT={json.dumps(height)};{SCRIPT}</script></body></html>
"""


def _data(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"

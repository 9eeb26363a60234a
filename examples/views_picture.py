"""Draws one clip of a folder in several views, without a run: python examples/views_picture.py views.png [DIR]

Without DIR it renders the demo's videos. It needs OpenCV (pip install "praxino[flow]"). The picture in docs/views.md is
made by it.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from my_view import Edges
from praxino.backbones import ResNet2D3D18
from praxino.catalogs import VideoFolder
from praxino.clips import EvenClips
from praxino.demo.render import render
from praxino.encoders import Encoder
from praxino.evaluations import show_views
from praxino.streams import Canvas, DISFlow, Foreground
from praxino.views import CentreCrop, View

SIDE = 96


def encoders() -> dict[str, Encoder]:
    """Networks that are never called: what is drawn is what they would get."""
    streams = {"flow": DISFlow(bound=5.0), "foreground": Foreground(), "edges": Edges()}
    channels = {"rgb": 3, "flow": 2, "foreground": 1, "edges": 1}
    return {
        name: Encoder(
            ResNet2D3D18(width=2, in_channels=count),
            {name: View([CentreCrop(SIDE)], name)},
            EvenClips(clips=1, frames=8, stride=2),
            streams=streams,
            canvas={"rgb": Canvas(short_side=SIDE)},
        )
        for name, count in channels.items()
    }


def main() -> None:
    place, *videos = sys.argv[1:]
    with tempfile.TemporaryDirectory() as rendered:
        folder = videos[0] if videos else render(Path(rendered), videos=32)
        (picture,) = show_views(encoders(), VideoFolder(str(folder)), most_videos=1, seed=2).pictures
    Image.fromarray(picture.pixels).save(place)
    print(f"{place}: {picture.title}, {picture.caption}")


if __name__ == "__main__":
    main()

"""VOT (Kristan et al.: The Visual Object Tracking VOT challenges), as far as it marks objects by boxes."""

from __future__ import annotations

import os

from praxino.catalogs.sequences import Place, PlacedSequences, listed_sequences, said_of_absent
from praxino.errors import UserError


class VOT(PlacedSequences):
    """Sequences `<name>/*.jpg`, or `<name>/color/*.jpg`, with boxes in `<name>/groundtruth.txt`, by `list.txt`.

    A line is `x,y,width,height`, or the corners of a polygon, `x1,y1,x2,y2,...`, whose bounding box counts; positions
    are counted from 1. Sets from 2020 on mark an object's very pixels, which is refused. This is no VOT evaluation:
    trackers are not set going anew where they have lost the object.

    Args:
        root: the data set's folder.
        held_out: names of sequences: they are the part "test", and the others are "train". Without any, every part is
            the whole.

    Raises:
        UserError: if there is no such folder, it has no list, the list names nothing that is there, or a name twice; if
            no sequence has the name of one that is held out.
    """

    polygons = True

    def look(self, root: str) -> tuple[list[Place], str]:
        names, absent = listed_sequences(root)
        if not names:
            raise UserError(f"VOT: {root} has no folder of a sequence in its list")
        said = said_of_absent(absent, f"the {len(names) + len(absent)} in its list")
        return [_place(root, name) for name in names], said


def _place(root: str, name: str) -> Place:
    inside = os.path.join(root, name)
    colour = os.path.join(inside, "color")
    pictures = colour if os.path.isdir(colour) else inside
    return Place(name, pictures, os.path.join(inside, "groundtruth.txt"))

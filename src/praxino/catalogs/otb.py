"""OTB (Wu, Lim, Yang: Object Tracking Benchmark, 2015): 98 folders, 100 sequences."""

from __future__ import annotations

import os

from praxino.catalogs.listing import folders_in, looking_into
from praxino.catalogs.names import is_hidden
from praxino.catalogs.sequences import Place, PlacedSequences, said_of_absent
from praxino.catalogs.text import text_of
from praxino.errors import UserError

NAMES = """
    Basketball Biker Bird1 Bird2 BlurBody BlurCar1 BlurCar2 BlurCar3 BlurCar4 BlurFace BlurOwl Board Bolt Bolt2 Box Boy
    Car1 Car2 Car24 Car4 CarDark CarScale ClifBar Coke Couple Coupon Crossing Crowds Dancer Dancer2 David David2 David3
    Deer Diving Dog Dog1 Doll DragonBaby Dudek FaceOcc1 FaceOcc2 Fish FleetFace Football Football1 Freeman1 Freeman3
    Freeman4 Girl Girl2 Gym Human2 Human3 Human4 Human5 Human6 Human7 Human8 Human9 Ironman Jogging Jump Jumping
    KiteSurf Lemming Liquor Man Matrix Mhyang MotorRolling MountainBike Panda RedTeam Rubik Shaking Singer1 Singer2
    Skater Skater2 Skating1 Skating2 Skiing Soccer Subway Surfer Suv Sylvester Tiger1 Tiger2 Toy Trans Trellis
    Twinnings Vase Walking Walking2 Woman
"""
FOLDERS = NAMES.split()
# The pictures that the benchmark takes, where these are not all; by names in small letters.
CUTS = {
    "david": slice(299, 770),
    "diving": slice(0, 215),
    "football1": slice(0, 74),
    "freeman3": slice(0, 460),
    "freeman4": slice(0, 283),
}


class OTB(PlacedSequences):
    """Sequences `<name>/img/*.jpg` with boxes in `<name>/groundtruth*.txt`: OTB-2015, and whatever lies like it.

    Every folder of the root that holds both is taken, in the order of names, whether it is one of the benchmark's 98 or
    a sequence of your own; where any of the 98 is there, `found` counts which are not. Several files of boxes in a
    folder are as many sequences with the same pictures (`Jogging.1`, `Jogging.2`; `Skating2.1`, `Skating2.2`). A file
    without a line, as Human4 has one, is none, and `found` tells of it. A line is `x y width height`, divided by
    commas, tabs or blanks, the corner counted from 1.

    Of five sequences the benchmark takes some frames: of David the pictures 300 to 770 in the order of their names, of
    Diving, Football1, Freeman3 and Freeman4 the first 215, 74, 460 and 283. A folder that has just as many pictures as
    boxes stays whole.

    Args:
        root: the data set's folder.
        held_out: names of sequences or of their folders: they are the part "test", and the others are "train". Without
            any, every part is the whole.

    Raises:
        UserError: if there is no such folder, it cannot be read, or no sequence is in it; if none has the name of one
            that is held out.
    """

    def look(self, root: str) -> tuple[list[Place], str]:
        places, others = _look(root)
        if not places:
            raise UserError(f"OTB: {root} has no sequences, <name>/img/*.jpg with <name>/groundtruth_rect.txt")
        there = {place.group for place in places}
        own = sum(place.group not in FOLDERS for place in places)
        said = f", {own} of them not of OTB-2015" if own else ""
        if own < len(places):  # else the benchmark is not meant
            said += said_of_absent([name for name in FOLDERS if name not in there], f"its {len(FOLDERS)} folders")
        return places, said + (f"; left out: {', '.join(others)}" if others else "")


def _look(root: str) -> tuple[list[Place], list[str]]:
    """The sequences below a root, and what else is there: folders that are none, and files of boxes without a line."""
    places: list[Place] = []
    empty: list[str] = []
    others = 0
    for folder in folders_in(root)[0]:
        inside = os.path.join(root, folder)
        names = _box_files(inside)
        lined = [name for name in names if text_of(os.path.join(inside, name)).strip()]
        empty += [f"{folder}/{name} (no line in it)" for name in names if name not in lined]
        others += not names
        for number, name in enumerate(lined, 1):
            id = f"{folder}.{number}" if len(lined) > 1 else folder
            files = os.path.join(inside, "img"), os.path.join(inside, name)
            places.append(Place(id, *files, group=folder, cut=CUTS.get(folder.lower())))
    return places, empty + ([f"folders without img/ and groundtruth*.txt: {others}"] if others else [])


def _box_files(folder: str) -> list[str]:
    """The names of a folder's files of boxes; none where it has no pictures."""
    if "img" not in folders_in(folder)[0]:
        return []
    with looking_into(folder):
        names = os.listdir(folder)
    return sorted(n for n in names if n.startswith("groundtruth") and n.endswith(".txt") and not is_hidden(n))

"""HMDB51 (Kuehne et al., 2011), and any selection of it that comes with lists of the same form."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from praxino.catalogs.lists import Lists, class_lists, lacking, list_folder, places, two_lists
from praxino.catalogs.splits import SplitCatalog
from praxino.errors import UserError

LIST_FOLDERS = ("splits", "split", "testTrainMulti_7030_splits", "")
# Behind the film and the action: visible body parts, camera, people, viewpoint, quality, number.
ENDING = r"_[a-z]_(?:cm|nm)_np\d+_(?:ba|fr|le|ri)_(?:bad|med|goo)_\d+"


class HMDB51(SplitCatalog):
    """The videos of one official split, in the order of its lists.

    The lists lie in `splits/`, `split/` or `testTrainMulti_7030_splits/` below the root or beside it, or in one of
    these two themselves. They are `classInd.txt`, `trainlist0S.txt` and `testlist0S.txt` as IIC ships them, of lines
    `class/video.avi`; or else the official `<class>_test_splitS.txt`, of lines `video.avi 1` (training), `2` (test) or
    `0` (left out), whose classes are in alphabetical order, which gives the same labels.

    The videos are files or folders of frames, in class folders or not, in the root or in `HMDB51/`, `hmdb51/`,
    `hmdb51_org/`, `videos/`, `jpegs_256/`, `frames/` or `rgb/` below it; the layout that holds most of the listed
    videos is taken, and `found` names it. Folders of optical flow pictures, in `u/` and `v/` below `tvl1_flow/`,
    `flow/` or the root, become the streams `flow_u` and `flow_v`.

    A video's id is its class and name, `class/video.avi`, and its group `class/film`: the name is `<film>_<class>_...`,
    and the official lists never separate the clips that one film gives to a class. A listed video that is not on the
    disk stays in the catalog: the probe lists it as unreadable.

    Args:
        root: the data set's folder.
        split: 1, 2 or 3.
        frames: True takes folders of frames, False video files, None what is there (files first).
        held_out: choose settings without looking at the test list: if k > 0, the part "test" is the last k groups of
            each class of the training list, "train" is the rest of it, and "all" is both.
        u_root, v_root: folders of optical flow pictures; None: those in the usual places below the root, if any.

    Raises:
        UserError: if the root, a list or all videos are missing, or a list is not of the official form.
    """

    own_folders = ("HMDB51", "hmdb51", "hmdb51_org")

    def lists(self, root: str, split: int) -> Lists:
        folder, missing = list_folder(root, LIST_FOLDERS, split)
        if not missing:
            return two_lists(folder, split)
        of_classes = filter(None, (class_lists(place, split) for place in places(root, LIST_FOLDERS)))
        lists = next(of_classes, None)
        if lists is None:
            either = lacking("HMDB51", root, LIST_FOLDERS, folder, missing)
            raise UserError(f"{either}; nor are there official ones, <class>_test_split{split}.txt")
        return lists

    def group_of(self, listed: str) -> str | None:
        path = PurePosixPath(listed)
        match = re.fullmatch(rf"(.+)_{re.escape(path.parent.name)}{ENDING}", path.stem)
        return f"{path.parent.name}/{match[1]}" if match else None

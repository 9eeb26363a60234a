"""UCF101 (Soomro et al., 2012), and any selection of it that comes with lists of the same form."""

from __future__ import annotations

from praxino.catalogs import names
from praxino.catalogs.lists import Lists, lacking, list_folder, two_lists
from praxino.catalogs.splits import SplitCatalog

LIST_FOLDERS = ("splits", "split", "ucfTrainTestlist", "")


class UCF101(SplitCatalog):
    """The videos of one official split, in the order of its lists.

    The lists (`classInd.txt`, `trainlist0S.txt`, `testlist0S.txt`) lie in `splits/`, `split/` or `ucfTrainTestlist/`
    below the root or beside it, or in one of these two themselves. The videos are files or folders of frames, in class
    folders or not, in the root or in `UCF-101/`, `UCF101/`, `videos/`, `jpegs_256/`, `frames/` or `rgb/` below it; the
    layout that holds most of the listed videos is taken, and `found` names it. A file may have another extension than
    the list says, and both spellings of HandstandPushups are understood. Folders of optical flow pictures, in `u/` and
    `v/` below `tvl1_flow/`, `flow/` or the root, become the streams `flow_u` and `flow_v`.

    A video's id is its line in the list, its label the number of its class folder in `classInd.txt` less 1 (never the
    number in the training list), its group `<Class>_gXX`. A listed video that is not on the disk stays in the catalog:
    the probe lists it as unreadable.

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

    own_folders = ("UCF-101", "UCF101")

    def lists(self, root: str, split: int) -> Lists:
        folder, missing = list_folder(root, LIST_FOLDERS, split)
        if missing:
            raise lacking("UCF101", root, LIST_FOLDERS, folder, missing)
        return two_lists(folder, split)

    def group_of(self, listed: str) -> str | None:
        return names.group_of(listed)

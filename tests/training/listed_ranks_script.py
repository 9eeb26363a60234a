"""Run by two processes: a run on a listed catalog, gone on with; then mistakes that only one of them makes or sees."""

import json
import sys
from pathlib import Path

import torch
from test_frozen_list import Said, Unprobed, arguments

from praxino import ranks
from praxino.catalogs.base import Video
from praxino.errors import UserError
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.videos import frozen_list
from toys import ToyCatalog, toy_stages


class Differs(Said):
    """Of the second process only: its disk has another video."""

    def video(self, row):
        video = super().video(row)
        return Video("other" if row == 7 and ranks.rank() == 1 else video.id, video.files, video.label)


def mistake_of(function, *words, **more):
    try:
        function(*words, **more)
    except UserError as error:
        return str(error)
    return None


def main(folder: Path) -> None:
    ranks.start(torch.device("cpu"))
    pretrain(**arguments(folder / "whole", stages=toy_stages(steps=4)))
    run = Run(folder / "whole")
    how = ({"rgb": Unprobed()}, ("rgb",), 4, 0.2, "listed", 0)
    found = {
        "rows": int(frozen_list(run, Said(12), *how).usable.sum()),
        "silent": mistake_of(pretrain, **arguments(folder / "silent", catalog=ToyCatalog(12))),
        "other": mistake_of(pretrain, **arguments(folder / "other", catalog=Differs(12))),
    }
    if ranks.rank() == 0:
        run.videos_file.write_text("")
    ranks.barrier()
    found["damaged"] = mistake_of(frozen_list, run, Said(12), *how)
    everyone = ranks.gather_objects(found)
    if ranks.rank() == 0:
        (folder / "found.json").write_text(json.dumps(everyone))
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

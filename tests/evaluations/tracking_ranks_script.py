"""Run by two processes: a head's training that goes through, and one that is killed and gone on with."""

import json
import sys
from pathlib import Path

import torch
from test_tracking_training import Killed, left_behind, on_disk

from praxino import ranks
from praxino.evaluations.tracking import measure, train
from praxino.evaluations.tracking.siamese import Siamese


def killed(folder, root, steps):
    """Trains until a step begins for the last of so many times, on both processes alike."""
    whole, left = Siamese.before_step, [steps]

    def counted(self):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        whole(self)

    Siamese.before_step = counted
    try:
        train.train_tracker(**on_disk(root, folder))
    except Killed:
        return True
    finally:
        Siamese.before_step = whole
    return False


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    ranks.start(torch.device("cpu"))
    root, found = folder / "otb", {"tracked": 0}
    own = measure.follow

    def counted(*words, **more):
        found["tracked"] += 1
        return own(*words, **more)

    measure.follow = counted
    done = train.train_tracker(**on_disk(root, folder / "two", results=folder / "boxes"))
    found["result"] = done.result is not None
    found["head"] = {name: value.tolist() for name, value in done.tracker.head.state_dict().items()}
    found["killed"] = killed(folder / "killed", root, 5)
    train.train_tracker(**on_disk(root, folder / "killed"), resume=True)
    found["equal"] = left_behind(folder / "two") == left_behind(folder / "killed")
    everyone = ranks.gather_objects(found)
    if ranks.rank() == 0:
        (folder / "found.json").write_text(json.dumps(everyone))
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

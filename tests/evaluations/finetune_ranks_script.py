"""Run by two processes: a fine-tuning that goes through, one that is killed and gone on with, a test of random
clips, and two mistakes."""

import json
import sys
from pathlib import Path

import torch
from test_finetune import Killed, ListedToys, arguments, left_behind, toy_encoder

from praxino import ranks
from praxino.clips.samplers import RandomClip
from praxino.errors import UserError
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.finetune import finetune
from praxino.evaluations.classifying.recognition import clip_hits, recognise
from toys import ToyStream


def given(folder, **more):
    """Five videos are held out: they do not divide."""
    return arguments(folder, **{"validation": 5, "validation_by": "video", "checkpoint_steps": 1, **more})


def killed(folder, objective):
    """Trains until the objective is asked for so many times, on both processes alike."""
    whole, left = Classifier.objective, [objective]

    def counted(self, views, **drawn):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return whole(self, views, **drawn)

    Classifier.objective = counted
    try:
        finetune(**given(folder))
    except Killed:
        return True
    finally:
        Classifier.objective = whole
    return False


def mistake_of(function, **more):
    try:
        function(**more)
    except UserError as error:
        return str(error)
    return None


def random_clips():
    """Of each of the test's videos the share of four random clips that are right."""
    encoder = toy_encoder(classes=("even", "odd"))
    return clip_hits(encoder, ListedToys("test"), "rgb", RandomClip(2, stride=5, clips=4), workers=0)[1].tolist()


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    ranks.start(torch.device("cpu"))
    found = {}
    finetune(**given(folder / "whole"))
    found["killed"] = killed(folder / "killed", 5)  # after an epoch and a half
    finetune(**given(folder / "killed"), resume=True)
    found["equal"] = left_behind(folder / "whole") == left_behind(folder / "killed")
    found["few"] = mistake_of(finetune, **given(folder / "few", validation=1))
    found["written"] = (folder / "few").exists()
    # Two of the test's videos are broken, both of those that the first process takes.
    encoder = toy_encoder(classes=("even", "odd"), streams={"rgb": ToyStream(("video16", "video18"))})
    found["broken"] = mistake_of(recognise, encoder=encoder, catalog=ListedToys(), workers=0, device="cpu")
    found["clips"] = random_clips()
    everyone = ranks.gather_objects(found)
    if ranks.rank() == 0:
        (folder / "found.json").write_text(json.dumps(everyone))
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Run by two processes: linear evaluations with statistics that go on (one of them killed) and with kept ones."""

import sys
from pathlib import Path

import torch
from test_finetune import Killed, toy_encoder
from test_linear_run import linear_arguments

from praxino import ranks
from praxino.evaluations.classifying import finetune as finetuning
from praxino.evaluations.classifying.classifier import Classifier
from praxino.training.run import Run
from toys import toy_stages


def given(out, **more):
    """Sixteen videos in batches of 6, 6 and 4: the last one is short, and divides."""
    return linear_arguments(out, **{"batch_size": 6, "drop_last": False, "checkpoint_steps": 1, **more})


def going_on(out):
    """Without dropout, so that a few lines can say what comes out; the last epoch is taken."""
    encoder = toy_encoder()
    encoder.backbone.layers[3].p = 0.0
    return given(out, encoder=encoder, frozen_statistics=False, tested_after=None, stages=toy_stages(epochs=2))


def kept(out):
    return given(out, stages=toy_stages(epochs=3))


def trained(arguments, resume=False):
    """The task's state on this process as training leaves it, before the weights of the chosen epoch are loaded."""
    left, whole = {}, finetuning.take_best

    def seen(run, task):
        left.update({name: value.clone() for name, value in task.state_dict().items()})
        return whole(run, task)

    finetuning.take_best = seen
    try:
        finetuning.finetune(**arguments, resume=resume)
    finally:
        finetuning.take_best = whole
    return left


def killed(arguments, objective):
    """Trains until the objective is asked for so many times, on both processes alike."""
    whole, left = Classifier.objective, [objective]

    def counted(self, views, **drawn):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return whole(self, views, **drawn)

    Classifier.objective = counted
    try:
        finetuning.finetune(**arguments)
    except Killed:
        return True
    finally:
        Classifier.objective = whole
    return False


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    ranks.start(torch.device("cpu"))
    found = {"going_on": trained(going_on(folder / "going_on")), "kept": trained(kept(folder / "kept"))}
    found["whole"] = trained(given(folder / "whole", frozen_statistics=False))
    found["killed"] = killed(given(folder / "killed", frozen_statistics=False), 9)
    ranks.barrier()
    found["reached"] = [(line["kind"], line["epoch"]) for line in Run.open(folder / "killed").metrics()]
    ranks.barrier()
    found["resumed"] = trained(given(folder / "killed", frozen_statistics=False), resume=True)
    torch.save(found, folder / f"rank{ranks.rank()}.pt")
    ranks.barrier()
    ranks.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

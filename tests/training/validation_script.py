"""Run by two processes: a pretraining with held-out videos; rank 0 writes what came of it."""

import sys

import torch

from praxino import ranks
from praxino.training.pretrain import pretrain
from toys import ToyCatalog, ToySampler, ToyStream, toy_method, toy_protocol, toy_stages


def main(folder: str) -> None:
    made = pretrain(
        catalog=ToyCatalog(16), sampler=ToySampler(), method=toy_method(), protocol=toy_protocol(), out=folder,
        streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, device="cpu", stages=toy_stages(epochs=3),
        validation=0.5, validation_by="video",
    )  # fmt: skip
    ranks.barrier()
    lines = [line["validation/total"] for line in made.metrics() if line["kind"] == "epoch"]
    everyone = ranks.gather_objects(made.checkpoint()["position"]["best"])
    if ranks.rank() == 0:
        torch.save({"validations": lines, "equal": len(set(everyone)) == 1}, f"{folder}/out.pt")
    ranks.leave()


if __name__ == "__main__":
    main(sys.argv[1])

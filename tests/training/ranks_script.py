"""Run by two processes: one step on each rank's half of a batch; rank 0 writes what came of it."""

import sys

import torch

from praxino import ranks
from praxino.clips.dataset import ClipDataset
from praxino.clips.loader import ClipLoader
from praxino.clips.sparse_dense import SparseDense
from praxino.methods.iic import IIC
from praxino.methods.tclr import TCLR
from praxino.rng import Rng
from praxino.training.fit import fit
from praxino.training.run import Run
from praxino.views.motion import Residual
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_method, toy_stages


def iic() -> IIC:
    torch.manual_seed(0)
    method = IIC(ToyBackbone(), View([Noise()]), View([Residual()]), negatives=5, loss="nce")
    method.setup(11, 4, Rng(0))
    return method


def tclr() -> TCLR:
    torch.manual_seed(0)
    method = TCLR(ToyBackbone(), View([Noise()]), dim=5, temperature=1.0, lean=True)
    method.head.bn1 = method.head.bn2 = torch.nn.Identity()  # the statistics are each process's own
    return method


def main(folder: str, steps: int, method: str) -> None:
    torch.set_num_threads(1)
    ranks.start(torch.device("cpu"))
    sampler = SparseDense(4, 2) if method == "TCLR" else ToySampler()
    dataset = ClipDataset(ToyCatalog(11), ("rgb",), sampler, {"rgb": ToyStream()}, seed=1)
    loader = ClipLoader(dataset, 4, 0, ranks.rank(), ranks.world(), drop_last=False)
    task = {"IIC": iic, "TCLR": tclr, "SimCLR": toy_method}[method]()
    gradients = []

    def sgd(groups):
        optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9)
        optimizer.register_step_pre_hook(
            lambda *_: gradients.append([p.grad.clone() for group in groups for p in group["params"]])
        )
        return optimizer

    stages = toy_stages(steps=steps)
    stages[0].optimizer = sgd
    fit(task, loader, stages, Run.create(folder, {}), seed=3)
    everyone = ranks.gather_objects([v.clone() for v in task.state_dict().values()])
    equal = all(torch.equal(a, b) for other in everyone for a, b in zip(everyone[0], other, strict=True))
    if ranks.rank() == 0:
        torch.save({"gradients": gradients, "state": task.state_dict(), "equal": equal}, f"{folder}/out.pt")
    ranks.leave()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

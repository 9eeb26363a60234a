"""Run by two processes: a method with a momentum encoder and a queue; rank 0 writes what came of it."""

import sys

import torch
import torch.nn.functional as F

from praxino import ranks
from praxino.backbones.pooling import pool
from praxino.encoders.encoder import Encoder
from praxino.losses.nce import softmax_rows
from praxino.methods.base import Losses, Method
from praxino.training.pretrain import pretrain
from praxino.views.pipeline import View
from toys import Noise, ToyBackbone, ToyCatalog, ToySampler, ToyStream, toy_protocol, toy_stages


class Momentum(Method):
    """A query is held against its key, of a slowly moving copy of the network, and against the keys of former batches.

    Args:
        backbone, key_backbone: of queries and keys; the latter has no gradient.
        view: drawn once for queries and once for keys.
        rows: of the queue.
        momentum: share of the old weights in a step of the key's.
    """

    def __init__(self, backbone, key_backbone, view, rows=8, momentum=0.9):
        super().__init__()
        self.backbone, self.key_backbone, self.view = backbone, key_backbone, view
        self.rows, self.momentum = rows, momentum
        self.key_backbone.load_state_dict(backbone.state_dict())
        self.key_backbone.requires_grad_(False)
        self.register_buffer("queue", torch.empty(rows, backbone.dim))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.long))

    def setup(self, videos, batch_size, rng):
        drawn = rng.child("queue").shared().standard_normal(self.queue.shape)
        self.queue.copy_(F.normalize(torch.from_numpy(drawn), dim=1))
        self.pointer.zero_()

    @torch.no_grad()
    def before_step(self):
        for key, query in zip(self.key_backbone.parameters(), self.backbone.parameters(), strict=True):
            key.mul_(self.momentum).add_(query.detach(), alpha=1 - self.momentum)

    def forward(self, batch, rng):
        query = self.view(batch, rng.child("query"), slice(0, 1)).squeeze(1)
        key = self.view(batch, rng.child("key"), slice(1, 2)).squeeze(1)
        return self.objective({"query": query, "key": key})

    def objective(self, views, **drawn):
        queries = F.normalize(pool(self.backbone(views["query"]), "mean"), dim=1)
        with torch.no_grad():
            keys = F.normalize(pool(self.key_backbone(views["key"]), "mean"), dim=1)
        scores = torch.cat([(queries * keys).sum(1, keepdim=True), queries @ self.queue.clone().T], dim=1)
        loss = ranks.gather_rows(softmax_rows(scores, 0.2)).mean()
        return Losses(loss, {"contrastive": loss.detach()}, {"query": queries.detach()}, {"keys": keys})

    @torch.no_grad()
    def after_step(self, kept):
        places = (self.pointer + torch.arange(len(kept["keys"]))) % self.rows
        self.queue[places] = kept["keys"]
        self.pointer.copy_((self.pointer + len(kept["keys"])) % self.rows)

    def exports(self, protocol):
        return {"": Encoder.of(self.backbone, protocol)}


def momentum(seed=0):
    torch.manual_seed(seed)
    return Momentum(ToyBackbone(), ToyBackbone(), View([Noise()]))


def train(out, resume=False, method=None, **more):
    arguments = {"stages": toy_stages(epochs=3), "catalog": ToyCatalog(12), **more}
    return pretrain(
        sampler=ToySampler(), method=method or momentum(), protocol=toy_protocol(), out=out,
        streams={"rgb": ToyStream()}, batch_size=4, workers=0, threads=1, device="cpu", checkpoint_steps=1,
        resume=resume, **arguments,
    )  # fmt: skip


def main(folder: str) -> None:
    method = momentum()
    made = train(folder, method=method)
    everyone = ranks.gather_objects([value.clone() for value in method.state_dict().values()])
    equal = all(torch.equal(a, b) for other in everyone for a, b in zip(everyone[0], other, strict=True))
    if ranks.rank() == 0:
        totals = [line["total"] for line in made.metrics() if line["kind"] == "step"]
        torch.save({"state": method.state_dict(), "equal": equal, "totals": totals}, f"{folder}/out.pt")
    ranks.leave()


if __name__ == "__main__":
    main(sys.argv[1])

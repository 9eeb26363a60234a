"""What DPC and CoCon share: the network that predicts the next block's map from the context, and what both take."""

from __future__ import annotations

from torch import Tensor, nn

from praxino.backbones.block_recurrent import BlockRecurrent
from praxino.batch import ClipBatch
from praxino.described import arguments, fresh
from praxino.errors import UserError
from praxino.losses.dense import MOST_PLACES
from praxino.rng import Rng
from praxino.views.pipeline import View


class PredictionNetwork(nn.Sequential):
    """Two 1x1 convolutions with a ReLU in between; [b, dim, S, S] -> [b, dim, S, S]. Weights start orthogonal.

    Args:
        dim: channels of context and map.
        zero_bias: biases start at 0, as in DPC. False: uniform in +-1 / sqrt(dim), as torch's layers and CoCon's do.
    """

    def __init__(self, dim: int, zero_bias: bool = True) -> None:
        super().__init__(nn.Conv2d(dim, dim, 1), nn.ReLU(inplace=True), nn.Conv2d(dim, dim, 1))
        for layer in self:
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight)
                if zero_bias:
                    assert layer.bias is not None
                    nn.init.zeros_(layer.bias)


def one_clip(view: View, batch: ClipBatch, rng: Rng) -> Tensor:
    """The view of the one clip of each video: float32 [B, C, T, h, w].

    Raises:
        UserError: if there are several.
    """
    clips = batch.numbers.shape[1]
    if clips != 1:
        raise UserError(f"this method takes one clip of each video, not {clips}: --sampler.clips 1")
    return view(batch, rng).squeeze(1)


def refuse_steps(predicted: int, blocks: int | None = None) -> None:
    """Refuses what cannot be predicted.

    Args:
        predicted: how many blocks are to be.
        blocks: how many a clip has; None: not known yet.

    Raises:
        UserError: if it is none, or no block is left to predict from.
    """
    if predicted < 1:
        raise UserError(f"--method.predicted must be at least 1, not {predicted}")
    if blocks is not None and blocks <= predicted:
        raise UserError(
            f"a clip of {blocks} blocks leaves none from which {predicted} are predicted: take clips of more frames, "
            "or a smaller --method.predicted"
        )


def refuse_places(places: int, videos: int) -> None:
    """Refuses a batch whose predicted places are too many to be compared with each other.

    Args:
        places: predicted of each video, P * S * S.
        videos: whose places are compared.

    Raises:
        UserError: if they are.
    """
    if places * videos > MOST_PLACES:
        raise UserError(
            f"{videos} videos of {places} predicted places each are too many to be compared with each other (at most "
            f"{MOST_PLACES} places, here {MOST_PLACES // places} videos): lower --batch_size or --method.predicted, or "
            "crop the views to fewer pixels"
        )


def with_running_statistics(network: BlockRecurrent) -> BlockRecurrent:
    """The network itself, or where its BatchNorm keeps no statistics, one with the same weights that does.

    These begin at 0 and 1, as where DPC begins its fine-tuning; an encoder takes its own of the training videos.
    """
    backbone = network.backbone
    if getattr(backbone, "running_statistics", True):
        return network
    new = type(backbone)(**fresh(arguments(backbone)) | {"running_statistics": True})
    new.to(next(backbone.parameters()).device)  # where the cell is, which both share
    # Its statistics are all that the old one's weights do not have.
    new.load_state_dict(backbone.state_dict(), strict=False)
    other = type(network)(**arguments(network) | {"backbone": new})
    other.cell = network.cell
    return other.train(network.training)

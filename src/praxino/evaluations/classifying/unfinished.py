"""The encoders of a run that has not finished: out of its last checkpoint."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from praxino.built_in import is_built_in
from praxino.configuration.complete import complete, instantiate
from praxino.configuration.earlier import as_now
from praxino.configuration.trust import Trust
from praxino.encoders.encoder import Encoder
from praxino.encoders.files import taken_apart
from praxino.encoders.trained_views import TRAINED, trained_views, views_of
from praxino.errors import UserError, nearest
from praxino.evaluations.classifying.classifier import Classifier
from praxino.evaluations.classifying.outcome import FINETUNE, LINEAR, START
from praxino.methods.base import Method
from praxino.rng import Rng
from praxino.training.own_runs import is_own
from praxino.training.pretrain import KIND, pretrain
from praxino.training.restoring import restore_weights
from praxino.training.run import Run
from praxino.training.start import OUTSIDE, kind_of
from praxino.training.start_weights import noted

LAST = "last"
WEIGHTS = "weights"  # in an encoder's record: which they are


def unfinished_encoders(place: str | Path, trust: tuple[str, ...] = ()) -> dict[str, Encoder]:
    """The encoders of a run's last checkpoint, by name, in evaluation mode; the one that `RUN:rgb` names.

    They have no statistics of their own, since those are taken when a run ends.

    Args:
        place: the folder of an unfinished pretraining or fine-tuning.
        trust: packages, beside praxino, whose classes may be built; where this user has begun the run here, all are.

    Raises:
        UserError: if it is finished, has no checkpoint yet, leaves no encoder, or its recipe does not fit.
    """
    if is_built_in(place):
        raise UserError(f"{place} is finished: leave out the checkpoint, which is one of an unfinished run")
    path, name = taken_apart(place)
    run = Run.open(path)
    if run.finished:
        raise UserError(f"{path} is finished: leave out the checkpoint, its encoder is there")
    saved = run.checkpoint()
    if saved is None:
        raise UserError(f"{path} has no checkpoint yet: go on with 'praxino resume {path}'")
    kind = kind_of(path)
    if kind == KIND:
        found = _pretrained(run, saved, trust)
    elif kind in (FINETUNE, LINEAR):
        found = {"": _classifier(run, saved, trust)}
    else:
        raise UserError(f"{path} is a run of the kind '{kind}', which trains no encoder")
    if name is not None:
        if name not in found:
            raise UserError(f"{path} will hold no encoder '{name}'.{nearest(name, found)}")
        found = {name: found[name]}
    for encoder in found.values():
        encoder.record[WEIGHTS] = in_words(saved)
        encoder.eval()
    return found


def the_unfinished(place: str | Path, trust: tuple[str, ...] = (), checkpoint: str = LAST) -> Encoder:
    """The one encoder of `unfinished_encoders`; a warning says which weights it has.

    Args:
        place, trust: as of `unfinished_encoders`.
        checkpoint: which one: "last".

    Raises:
        UserError: as of `unfinished_encoders`, or if there are several.
    """
    refuse_other(checkpoint)
    found = unfinished_encoders(place, trust)
    if len(found) > 1:
        names = " or ".join(f"{place}:{name}" for name in found)
        raise UserError(f"{place} will hold several encoders: name one of them, {names}")
    (encoder,) = found.values()
    warnings.warn(f"{place}: the encoder's weights are those {encoder.record[WEIGHTS]}", stacklevel=3)
    return encoder


def refuse_other(checkpoint: str) -> None:
    """Raises UserError for any other word than "last"."""
    if checkpoint != LAST:
        raise UserError(f"--checkpoint {checkpoint}: the one that can be taken is '{LAST}'")


def in_words(saved: Mapping[str, Any]) -> str:
    """Which weights a checkpoint's are."""
    at = saved["position"]
    where = f"in epoch {at['epoch'] + 1}" if at["batch"] else f"at the end of epoch {at['epoch']}"
    return f"of an unfinished run, after step {at['step']} {where}"


def _pretrained(run: Run, saved: Mapping[str, Any], trust: tuple[str, ...]) -> dict[str, Encoder]:
    said = as_now(run.recipe())
    said.pop("kind", None)
    trusted = None if is_own(run.recipe_file) else Trust(str(run.recipe_file), trust)
    config = complete(pretrain, said, without=OUTSIDE, trust=trusted)
    built = instantiate(pretrain, {name: config[name] for name in ("method", "protocol", "streams", "seed")})
    method, protocol = built["method"], built["protocol"]
    protocol.streams = {**(built["streams"] or {}), **(protocol.streams or {})}
    usable = sum(video.row is not None for video in run.videos())
    method.setup(usable, config["batch_size"], Rng(config["seed"], "setup"))
    _fit_buffers(method, saved["task"])
    restore_weights(method, saved, run.checkpoint_file)
    encoders: dict[str, Encoder] = method.exports(protocol)
    seen = views_of(method)
    at = saved["position"]
    for encoder in encoders.values():
        encoder.record = {"recipe": said, "seed": config["seed"], "steps": at["step"], "epochs": at["epoch"]}
        encoder.record |= noted(run)
        if seen:
            encoder.record[TRAINED] = trained_views(encoder.views, seen)
    return encoders


def _fit_buffers(method: Method, saved: Mapping[str, Tensor]) -> None:
    """Banks and queues get the size that they had, which depends on how many videos are held out."""
    for name, buffer in list(method.named_buffers()):
        if name in saved and saved[name].shape != buffer.shape:
            owner, _, own = name.rpartition(".")
            setattr(method.get_submodule(owner), own, torch.empty_like(saved[name]))


def _classifier(run: Run, saved: Mapping[str, Any], trust: tuple[str, ...]) -> Encoder:
    """The encoder with its classifier, as it began, with the weights of now."""
    named = tuple(run.recipe().get("trust") or ())
    own = run.path / START
    if not own.is_file():
        raise UserError(f"{own} is missing: an earlier version has begun this run, go on with 'praxino resume'")
    encoder = Encoder.load(own, trust=(*trust, *named) if is_own(run.recipe_file) else trust)
    assert encoder.head is not None
    restore_weights(Classifier(encoder.backbone, encoder.view(), encoder.head), saved, run.checkpoint_file)
    encoder.statistics = {}
    return encoder

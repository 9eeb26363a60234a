"""How each convolution of a run is computed in half precision: in the first way that is right on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from praxino import ranks
from praxino.training.convolution_cache import keep, known, machine
from praxino.training.convolution_check import Verdict, check
from praxino.training.convolution_process import NotStarted, Question, answers
from praxino.training.convolutions import WAYS, Convolution, Way, computed_as
from praxino.training.precision import Precision
from praxino.training.run import Run

Seen = Mapping[str, Collection[Convolution]]
Ask = Callable[[Collection[Question]], Mapping[Question, Verdict]]

FILE = "convolutions.json"  # in the run's folder: the ways, and the machine on which they were found right
HOW: dict[Way, str] = {"padded": "with time padded by hand", "fp32": "in fp32"}
TOO_SLOW = 2


@contextmanager
def rightly_computed(
    task: nn.Module, run: Run, seen: Seen, precision: Precision, device: torch.device
) -> Iterator[None]:
    """Within it a task's convolutions are computed in ways that are right in the run's precision.

    Rank 0 finds them, for all. A run that is gone on with keeps its ways: on another machine only as far as they are
    right there.

    Args:
        task: what is trained.
        run: takes the file of the ways, and the log.
        seen: the task's convolutions, as of `convolutions_seen`; none in fp32.
        precision: of the run.
        device: where the task is.

    Raises:
        UserError: if the ways cannot be written into the run's folder.
    """
    ways = ranks.by_the_first(lambda: _found(run, seen, precision, device)) if seen else {}
    with computed_as(task, ways):
        yield


def _found(run: Run, seen: Seen, precision: Precision, device: torch.device) -> dict[str, Way]:
    where = _where(precision, device)
    here = where["machine"]
    begun = _begun(run, seen)
    if begun and begun["where"] == where:
        return begun["ways"]
    before = begun["ways"] if begun and begun["where"]["precision"] == precision else None
    asked: dict[Question, Verdict] = {}

    def ask(questions: Collection[Question]) -> Mapping[Question, Verdict]:
        asked.update(verdicts(questions, precision, device, run.log))
        return asked

    ways = chosen(seen, ask, before)
    _say_what_is_wrong(run, seen, ways, asked, precision)
    if device.type == "cpu":
        _say_what_is_slow(run, asked.values())
    names = [] if before is None else [name for name in seen if ways.get(name) != before.get(name)]
    if names:
        then, now = (f"{one['name']}, torch {one['torch']}" for one in (begun["where"]["machine"], here))
        run.log(f"begun on {then}; on {now} these are computed in another way from here on: {', '.join(names)}")
    run.write(FILE, json.dumps({"where": where, "ways": ways}, indent=1) + "\n")
    return ways


def _begun(run: Run, seen: Seen) -> Any:
    """What the run's folder says of these layers; None where it says nothing that can be read."""
    path = run.path / FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        if said is None or not {"precision", "machine"} <= said["where"].keys():
            return None
        ways = {name: way for name, way in said["ways"].items() if name in seen and way in WAYS}
        said["where"]["machine"] = {"name": "an unknown machine", "torch": "unknown"} | said["where"]["machine"]
        return {"where": said["where"], "ways": ways}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # damaged: found once more


def chosen(seen: Seen, ask: Ask, before: Mapping[str, Way] | None = None) -> dict[str, Way]:
    """The way of each layer that is not computed plainly: the first that is right at each of its inputs.

    Args:
        seen: name of the layer -> what it was.
        ask: gives the verdicts on questions; fp32 is right without being asked for.
        before: name of the layer -> the way that it had, of layers not named: "plain"; it comes first.
    """
    first = {name: [] if before is None else [before.get(name, "plain")] for name in seen}
    left = {name: [*first[name], *min((one.ways() for one in given), key=len)] for name, given in seen.items()}
    ways: dict[str, Way] = {}
    while left:
        questions = {(one, order[0]) for name, order in left.items() for one in seen[name] if order[0] != "fp32"}
        verdicts = ask(sorted(questions, key=str)) if questions else {}
        for name, (way, *others) in list(left.items()):
            if way == "fp32" or all(verdicts[one, way].right for one in seen[name]):
                ways[name] = way
                del left[name]
            else:
                # What was waited for in vain is not asked in another way: a processor without bf16 takes as long again.
                late = any(verdicts[one, way].late for one in seen[name])
                left[name] = ["fp32"] if late else others
    return {name: way for name, way in ways.items() if way != "plain"}


def _where(precision: Precision, device: torch.device) -> dict[str, Any]:
    return {"precision": precision, "threads": torch.get_num_threads(), "machine": machine(device)}


def verdicts(
    questions: Collection[Question], precision: Precision, device: torch.device, say: Callable[[str], None]
) -> dict[Question, Verdict]:
    """Whether convolutions are right on this machine: what the cache knows, and the rest compared with fp32 and kept.

    Args:
        questions: which, and in which way each is computed.
        precision: bf16 or fp16.
        device: where.
        say: takes lines about what is compared, and where that is not possible.
    """
    where = _where(precision, device)
    found = known(questions, where)
    new = [question for question in questions if question not in found]
    if not new:
        return found
    padded = " with time padded by hand" if new[0][1] == "padded" else ""
    say(f"{precision}: {len(new)} convolutions{padded} are compared with fp32, once on this machine")
    try:
        made = answers(new, {"precision": precision, "threads": where["threads"], "device": str(device)})
    except NotStarted as error:
        reason = f"convolutions cannot be checked in a process of their own ({error})"
        if device.type == "cpu":
            say(f"{precision}: {reason}: they are computed in fp32")
            made = dict.fromkeys(new, Verdict(False, "not checked", lasting=False))
        else:
            # A GPU may admit a single process. Its kernels do not write into this one's memory: their errors are told.
            say(f"{precision}: {reason}: they are checked in this one")
            made = {(one, way): check(one, way, precision, device) for one, way in new}
    keep(made, where)
    return {**found, **made}


def _say_what_is_wrong(
    run: Run, seen: Seen, ways: Mapping[str, Way], asked: Mapping[Question, Verdict], precision: Precision
) -> None:
    for way, how in HOW.items():
        names = [name for name in seen if ways.get(name) == way]
        wrong = [asked[one, "plain"] for name in names for one in seen[name] if (one, "plain") in asked]
        whys = dict.fromkeys(verdict.why for verdict in wrong if not verdict.right)
        if names:
            why = f" ({'; '.join(whys)})" if whys else ""
            run.log(f"{precision} is not right on this machine{why}: computed {how}: {', '.join(names)}")


def _say_what_is_slow(run: Run, verdicts: Iterable[Verdict]) -> None:
    timed = [verdict for verdict in verdicts if verdict.right or (verdict.late and verdict.fp32_seconds)]
    seconds, in_fp32 = (sum(getattr(one, name) for one in timed) for name in ("seconds", "fp32_seconds"))
    if seconds > TOO_SLOW * max(in_fp32, 1):
        times = f"at least {seconds / in_fp32:.0f} times as long as in fp32"
        run.log(f"convolutions take {times} on this machine: --precision fp32 is quicker")

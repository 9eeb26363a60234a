"""From a command line to a complete, checked configuration. Nothing is built here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.errors import UserError, nearest

if TYPE_CHECKING:
    from praxino.configuration.complete import Mistake, Place

LENGTHS = ("epochs", "steps")
PRETRAIN = "pretrain"  # the kind of a run that its recipe need not name
EVALUATED = ("finetune", "linear", "tracking")  # the kinds that `praxino evaluate` starts


def configured(
    function: Callable[..., Any],
    options: Mapping[str, str],
    recipe: str | Path | None = None,
    *,
    base: Mapping[str, Any] | None = None,
    without: Collection[str] = (),
    partial: bool = False,
    kind: str | None = None,
    beside: Collection[str] = (),
) -> dict[str, Any]:
    """The complete arguments of a function as plain data, ready for `praxino.configuration.complete.instantiate`.

    Args:
        function: whose signature says what there is.
        options: dotted name -> value as typed; laid over the recipe.
        recipe: a YAML file; of another command, where it names another kind of run.
        base: what the recipe is laid over.
        without: arguments that the user does not give.
        partial: leaves out what is missing instead of refusing it.
        kind: of the run whose recipe it is; None: of pretraining.
        beside: names of a recipe that are no arguments.

    Raises:
        UserError: one line that says what is wrong and where.
    """
    from praxino.cli.line.numbers import refuse_out_of_range
    from praxino.cli.line.overrides import located, place_of, put
    from praxino.configuration.complete import Mistake, complete
    from praxino.configuration.documents import read
    from praxino.configuration.earlier import as_now
    from praxino.configuration.earlier_flow import refuse_typed
    from praxino.configuration.signatures import arguments_of

    own_classes_importable()
    config: dict[str, Any] = _apart(as_now({**(base or {}), **(read(recipe) if recipe else {})}))
    _refuse_other_kind(config.pop("kind", None), kind, recipe)
    options = _in_todays_words(options)
    config = {name: value for name, value in config.items() if name not in beside}
    arguments = [name for name in arguments_of(function) if name not in without]
    shorthands = [word for word in ("videos", "cut", *LENGTHS) if word not in arguments and _means(word) in arguments]
    given = {name: value for name, value in options.items() if name not in shorthands}
    try:
        for name, value in sorted(expanded(options, shorthands).items(), key=lambda item: item[0].count(".")):
            put(config, place_of(name), value)
            _one_length(config, place_of(name))
        refuse_typed(config, options)
        done = complete(function, _with_lengths(config, options, shorthands), without=without, partial=partial)
        refuse_out_of_range(done)
        return done
    except Mistake as found:
        mistake = _as_typed(found, options, shorthands)
        known = {word: None for word in (*arguments, *shorthands)}
        raise located(mistake, {**given, **expanded(options, shorthands)}, known, str(recipe or "")) from None


def _in_todays_words(options: Mapping[str, str]) -> dict[str, str]:
    from praxino.configuration.earlier import option_now

    now: dict[str, str] = {}
    for name, value in options.items():
        word = option_now(name)
        if word in now or (word != name and word in options):
            raise UserError(f"--{name} is called --{word} now, and both are given: leave one out")
        now[word] = value
    return now


def _refuse_other_kind(found: Any, wanted: str | None, recipe: str | Path | None) -> None:
    if recipe is None or found == wanted or (found, wanted) == (PRETRAIN, None):
        return
    if found not in (None, PRETRAIN, *EVALUATED):
        raise UserError(f"{recipe}: there is no kind of run '{found}'.{nearest(str(found), (PRETRAIN, *EVALUATED))}")
    if found in EVALUATED:
        raise UserError(f"{recipe} is a recipe of another command: praxino evaluate {found} RUN --recipe {recipe}")
    raise UserError(f"{recipe} is no recipe of 'praxino evaluate {wanted}': it has no line 'kind: {wanted}'")


def _as_typed(mistake: Mistake, options: Mapping[str, str], shorthands: Collection[str]) -> Mistake:
    """A mistake behind a shorthand, under the shorthand's name."""
    from praxino.configuration.complete import Mistake

    places = {
        "videos": ("catalog", "root"),
        "cut": ("catalog", "seconds"),
        **{word: ("stages", 0, word) for word in LENGTHS},
    }
    for word in shorthands:
        if word in options and mistake.place == places[word]:
            return Mistake((word,), mistake.problem)
    return mistake


def _means(shorthand: str) -> str:
    return "catalog" if shorthand in ("videos", "cut") else "stages"


def expanded(options: Mapping[str, str], shorthands: Collection[str]) -> dict[str, str]:
    """The options without `--epochs` and `--steps`, and `--videos` and `--cut` as those that they stand for."""
    done = {name: value for name, value in options.items() if name not in shorthands}
    if "videos" in shorthands and "videos" in options:
        if "catalog" in options:
            raise UserError("--videos is --catalog VideoFolder --catalog.root: give it or --catalog, not both")
        done |= {"catalog": "VideoFolder", "catalog.root": options["videos"]}
    if "cut" in shorthands and "cut" in options:
        whole = {name: value for name, value in done.items() if name.partition(".")[0] == "catalog"}
        if not whole:
            raise UserError("--cut takes the videos that it is to cut: give --videos DIR or --catalog, too")
        done = {name: value for name, value in done.items() if name not in whole}
        done |= {name.replace("catalog", "catalog.catalog", 1): value for name, value in whole.items()}
        done |= {"catalog": "Cut", "catalog.seconds": options["cut"]}
    return done


def _with_lengths(config: dict[str, Any], options: Mapping[str, str], shorthands: Collection[str]) -> dict[str, Any]:
    """`--epochs N` or `--steps N`: the length of the only stage."""
    from praxino.cli.line.overrides import put
    from praxino.configuration.documents import parsed

    given = [word for word in LENGTHS if word in shorthands and word in options]
    if not given:
        return config
    if len(given) == 2:
        raise UserError("--epochs and --steps: give one of the two")
    if isinstance(config.get("stages"), str):
        config["stages"] = parsed(config["stages"], "--stages")
    stages = config.get("stages")
    if not isinstance(stages, list) or len(stages) != 1:
        count = len(stages) if isinstance(stages, list) else 0
        raise UserError(f"--{given[0]} is the length of the only stage, and there are {count}: --stages.0.{given[0]}")
    put(config, ("stages", 0, given[0]), options[given[0]])
    _one_length(config, ("stages", 0, given[0]))
    return config


def _apart(value: Any) -> Any:
    """A copy in which what several places of a YAML file share by an alias is each one's own."""
    if isinstance(value, Mapping):
        return {name: _apart(one) for name, one in value.items()}
    return [_apart(one) for one in value] if isinstance(value, list) else value


def _one_length(config: dict[str, Any], place: Place) -> None:
    """Setting a stage's epochs clears its steps, and the other way round."""
    if place[0] == "stages" and len(place) == 3 and place[2] in LENGTHS:
        stages = config["stages"]
        stage = stages[int(place[1])] if isinstance(stages, list) else None
        other = LENGTHS[1 - LENGTHS.index(str(place[2]))]
        if isinstance(stage, dict):
            (stage.get("init_args") or stage).pop(other, None)


def own_classes_importable() -> None:
    """Puts the current folder on the path: a recipe may name a class in a file of the user's own.

    At the end: in the folder of somebody else's run a file named as a library must not be taken for it.
    """
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())

"""What a command is given as its encoder: a run's folder, RUN:name or an encoder file; and what lies beside it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.built_in import BUILT_IN, is_built_in, namesake
from praxino.encoders.files import WEIGHTS, encoder_file, encoder_files, has_checksum, name_of, taken_apart
from praxino.errors import UserError
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.encoders.encoder import Encoder


def loaded_encoder(place: str, trust: tuple[str, ...] = ()) -> Encoder:
    """The encoder of a run's folder or an encoder file. That it has no checksum is one line.

    Args:
        place: the folder or file; `RUN:rgb` of a run with several encoders; `built-in`.
        trust: packages, beside praxino, whose classes may be built.

    Raises:
        UserError: as of `Encoder.load`.
    """
    from praxino.encoders.encoder import Encoder

    if is_built_in(place) and (line := namesake()):
        print(line, file=sys.stderr)
    encoder, file = Encoder.load(place, trust=trust), encoder_file(place)
    if not has_checksum(file):
        print(printable(f"{file} has no checksum, since an earlier version has written it"), file=sys.stderr)
    return encoder


def loaded_encoders(place: str, trust: tuple[str, ...] = ()) -> dict[str, Encoder]:
    """All encoders of a run's folder by name, or the one that `RUN:rgb` or a file means; as of `loaded_encoder`.

    Raises:
        UserError: as of `Encoder.load`.
    """
    names = list(encoder_files(place))
    if len(names) == 1:
        return {names[0]: loaded_encoder(place, trust)}
    return {name: loaded_encoder(f"{place}:{name}", trust) for name in names}


def encoder_now(place: str, trust: tuple[str, ...], checkpoint: str | None) -> Encoder:
    """`loaded_encoder`; or the encoder of an unfinished run's last checkpoint, and a line that says so.

    Args:
        place, trust: as of `loaded_encoder`.
        checkpoint: "last", or None.

    Raises:
        UserError: as of `loaded_encoder`, or as of `the_unfinished`.
    """
    if checkpoint is None:
        return loaded_encoder(place, trust)
    from praxino.cli.line.received import refuse_untrusted_run
    from praxino.evaluations.classifying.unfinished import WEIGHTS, the_unfinished

    refuse_untrusted_run(taken_apart(place)[0], trust)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder = the_unfinished(place, trust, checkpoint)
    print(printable(f"the encoder's weights are those {encoder.record[WEIGHTS]}"), file=sys.stderr)
    return encoder


def trusted(trust: str | None) -> tuple[str, ...]:
    """The packages that `--trust` names, with commas between them."""
    return tuple(filter(None, (trust or "").split(",")))


def run_folder(place: str) -> Path | None:
    """The run's folder that `place` is, or lies in; None where there is none."""
    if is_built_in(place):
        return None
    path, _ = taken_apart(place)
    folder = path if path.is_dir() else path.parent
    return folder if (folder / "recipe.yaml").is_file() else None


def results_folder(place: str) -> Path | None:
    """Where results of what lies at a place go: into the run's folder, those of `built-in` into the current one.

    None: an encoder file without a run has none.
    """
    return Path() if is_built_in(place) else run_folder(place)


def encoder_name(place: str) -> str:
    """Which of a run's encoders is meant, as file names say it: "@rgb"; "" of a run with one, and of any other file.

    Of `built-in` "@built-in".
    """
    if is_built_in(place):
        return f"@{BUILT_IN}"
    path, name = taken_apart(place)
    name = name or (name_of(path) if path.suffix == WEIGHTS else "")
    return f"@{name}" if name else ""


def encoder_part(place: str) -> str:
    """`encoder_name`, and for a file that is not named as a run names it, "@" and the file's name.

    So the results of other encoders in a run's folder are told from the run's own.
    """
    if is_built_in(place):
        return encoder_name(place)
    path, _ = taken_apart(place)
    other = path.suffix == WEIGHTS and path.stem != "encoder" and not name_of(path)
    return f"@{path.name}" if other else encoder_name(place)


def catalog_beside(
    place: str,
    *others: str,
    function: Callable[..., Any],
    options: Mapping[str, str],
    trust: Collection[str] = (),
) -> dict[str, Any]:
    """The catalog that the run was trained on, as a configuration; without what is not known, and where one is typed.

    Args:
        place: the run's folder, or an encoder file.
        others: further arguments that are taken from the run's recipe.
        function: whose arguments they are.
        options: what is typed.
        trust: packages, beside praxino, whose classes the recipe may name.

    Raises:
        UserError: if there is nothing at the place, or the recipe names a class that is not trusted.
    """
    from praxino.cli.line.received import refuse_untrusted
    from praxino.configuration.documents import read
    from praxino.configuration.earlier import as_now

    if not is_built_in(place) and not taken_apart(place)[0].exists():
        raise UserError(f"there is no {place}: give a run's folder, an encoder file, or {BUILT_IN}")
    folder = run_folder(place)
    if folder is None:
        return {}
    recipe = as_now(read(folder / "recipe.yaml"))
    typed = "catalog" in options or "videos" in options
    taken = {name: recipe[name] for name in (*(() if typed else ("catalog",)), *others) if name in recipe}
    refuse_untrusted(function, folder / "recipe.yaml", taken, trust)
    return taken

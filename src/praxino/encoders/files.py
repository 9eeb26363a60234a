"""Where encoders lie, and what their files hold: weights as safetensors, and beside them a description as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from praxino.built_in import BUILT_IN, FILE, is_built_in, shown
from praxino.configuration.earlier_flow import flow_as_now
from praxino.errors import UserError, nearest
from praxino.files import read_text, written_aside

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS = ".safetensors"
TRACKER = ".tracker.safetensors"  # in the place of the ending of the encoder's file
CHECKSUM = "checksum"  # in the description: BLAKE2b of the file of the weights


def file_name(name: str) -> str:
    """The file of a run's encoder of this name; most runs have one, named ""."""
    return f"encoder-{name}{WEIGHTS}" if name else f"encoder{WEIGHTS}"


def name_of(file: Path) -> str:
    """The name of the encoder in a file as of `file_name`; of any other file ""."""
    head, dash, name = file.stem.partition("-")
    return name if head == "encoder" and dash else ""


def all_written(folder: Path) -> bool:
    """Whether a run's folder holds all encoders that the run leaves.

    Each says which ones there are. Those of earlier versions do not: they were single. A file that is missing or
    damaged is not written.

    Args:
        folder: the run's.
    """
    written: set[str] = set()
    wanted: set[str] = set()
    for file in folder.glob("encoder*.json"):
        if file.with_suffix(WEIGHTS).name.endswith(TRACKER):  # of a tracker, written before its encoder
            continue
        try:
            wanted |= set(json.loads(read_text(file))["record"].get("encoders", ()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            continue
        if file.with_suffix(WEIGHTS).is_file():
            written.add(name_of(file))
    return bool(written) and wanted <= written


def taken_apart(place: str | Path) -> tuple[Path, str | None]:
    """`RUN:rgb` as the place RUN and the name "rgb"; without a name, None. A path that is there is never cut.

    The word `built-in` (no `Path` of this name) is the file of the encoder that comes with praxino.
    """
    text = str(place)
    path, colon, name = text.rpartition(":")
    if isinstance(place, str) and BUILT_IN in (text, path):
        return FILE, name if colon else None
    if not colon or not path or Path(text).exists() or not Path(path).exists():
        return Path(text), None
    return Path(path), name


def absolute(place: str) -> str:
    """A place as another folder names it; `built-in` is the same everywhere."""
    return BUILT_IN if is_built_in(place) else str(Path(place).absolute())


def encoder_files(place: str | Path) -> dict[str, Path]:
    """The encoders at a place, by their names: all of a run folder, the one that `RUN:rgb` names, or a single file.

    `built-in` is the one that comes with praxino.

    Raises:
        UserError: if there is none, or none of this name.
    """
    path, name = taken_apart(place)
    if _is_tracker(path):
        encoder = path.with_name(path.name.removesuffix(TRACKER) + WEIGHTS)
        raise UserError(f"{path} holds a tracker's head and no encoder: pass {encoder}, beside which it lies")
    if path.is_file() and path.suffix != WEIGHTS:
        raise UserError(f"{path} is no encoder: give encoder{WEIGHTS}, or the run folder that holds it")
    if path == FILE and not path.is_file():
        raise UserError(f"the file of the {BUILT_IN} encoder is missing, {path}{mend(path)}")
    found = {name_of(path): path} if path.is_file() else _of_folder(path)
    if not found:
        if not (path / "recipe.yaml").is_file():
            place, word = shown(path), BUILT_IN if shown(path) == str(path) else f"{BUILT_IN} without ./"
            raise UserError(f"no encoder at {place}: give encoder{WEIGHTS}, a run folder that holds one, or {word}")
        now = (path / "checkpoints" / "last.ckpt").is_file()
        taken = ", or take it as it is now by --checkpoint last (in Python: checkpoint='last')" if now else ""
        raise UserError(f"no encoder at {path}, as the run has not finished: go on with 'praxino resume {path}'{taken}")
    if name is None:
        return found
    if name not in found:
        if list(found) == [""]:
            where = BUILT_IN if path == FILE else path
            raise UserError(f"{where} holds one encoder, without a name: leave out ':{name}'")
        raise UserError(f"{path} holds no encoder '{name}'.{nearest(name, found)}")
    return {name: found[name]}


def encoder_file(place: str | Path) -> Path:
    """The one encoder that a place means.

    Raises:
        UserError: if there is none, or several.
    """
    found = encoder_files(place)
    path, name = taken_apart(place)
    if name is None and path.is_dir():
        _refuse_incomplete(found)
    if len(found) > 1:
        names = " or ".join(f"{place}:{name}" for name in found)
        raise UserError(f"{place} holds several encoders: name one of them, {names}")
    return next(iter(found.values()))


def _refuse_incomplete(found: Mapping[str, Path]) -> None:
    """One that is left of several must not pass for the only one."""
    if len(found) != 1:
        return
    ((name, path),) = found.items()
    try:
        wanted = json.loads(read_text(path.with_suffix(".json")))["record"].get("encoders", [name])
        missing = [other for other in wanted if not path.with_name(file_name(other)).exists()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return  # `read` says what is wrong with it
    if missing:
        raise UserError(f"{path.parent} lacks the encoder '{missing[0]}' of its run: go on with 'praxino resume'")


def _of_folder(folder: Path) -> dict[str, Path]:
    files = sorted(file for file in folder.glob(f"encoder*{WEIGHTS}") if not _is_tracker(file))
    return {name_of(file): file for file in files if file.stem == "encoder" or name_of(file)}


def _is_tracker(path: Path) -> bool:
    """Whether a file is what `praxino.encoders.siamese` writes beside an encoder's; any name may be an encoder's."""
    if not path.is_file() or not path.name.endswith(TRACKER):
        return False
    try:
        return "backbone" not in json.loads(read_text(path.with_suffix(".json")))
    except (OSError, ValueError, TypeError, RecursionError):
        return True


def write(path: Path, description: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Writes weights to `path`, and beside it the description with their checksum; both aside first, then renamed."""
    weights = _as_bytes(state)
    with written_aside(path.with_suffix(".json")) as description_aside, written_aside(path) as aside:
        aside.write_bytes(weights)
        said = {**description, CHECKSUM: _checksum(weights)}
        description_aside.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def checksum_of(state: Mapping[str, Tensor]) -> str:
    """The checksum that `write` would put into the description of these weights."""
    return _checksum(_as_bytes(state))


def read(path: Path, what: str = "encoder") -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What `write` wrote: description and weights.

    Args:
        path: of the weights.
        what: they are, for messages.

    Raises:
        UserError: if one of the two is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    beside = path.with_suffix(".json")
    a_what = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
    if not beside.is_file():
        raise UserError(f"{beside} is missing: {a_what} is {path.name} and {beside.name} side by side{mend(path)}")
    if not path.is_file():  # a pipe would be waited for
        raise UserError(f"{path} is no regular file")
    try:
        said = json.loads(beside.read_text(encoding="utf-8"))
        if not isinstance(said, dict) or not isinstance(said.get("record"), dict):
            raise ValueError(f"{beside.name} is no description of {a_what}")
        weights = path.read_bytes()  # `load_file` opens no name that is no UTF-8
        if said.pop(CHECKSUM, None) not in (None, _checksum(weights)):  # earlier versions wrote none
            raise ValueError(f"its weights are not those that {beside.name} was written with (the checksum differs)")
        return flow_as_now(said), load(weights)
    except json.JSONDecodeError as error:
        said_where = f"line {error.lineno}, column {error.colno}"
        raise UserError(
            f"the {what} {path} is damaged: {beside.name} is cut off or no JSON ({said_where}){mend(path)}"
        ) from None
    except (UnicodeDecodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "no text in UTF-8"
        raise UserError(f"the {what} {path} is damaged: {beside.name} is {reason}{mend(path)}") from None
    except (ValueError, OSError, SafetensorError) as error:
        raise UserError(f"the {what} {path} is damaged: {error}{mend(path)}") from None


def mend(path: Path) -> str:
    """The end of a message about a file that cannot be used: what to do where it came with praxino."""
    return "; install praxino again" if path == FILE else ""


def has_checksum(path: Path) -> bool:
    """Whether the description of an encoder that can be read holds a checksum of its weights."""
    return CHECKSUM in json.loads(read_text(path.with_suffix(".json")))


def checksum_of_file(path: Path) -> str:
    """The checksum of a file of weights, as its description has it."""
    return _checksum(path.read_bytes())


def _as_bytes(state: Mapping[str, Tensor]) -> bytes:
    from safetensors.torch import save

    # Not `save_file`, which makes a file that only its owner may read.
    written: dict[str, Tensor] = {}
    stored: set[int] = set()
    for name, value in state.items():
        value = value.detach().cpu().contiguous()
        where = value.untyped_storage().data_ptr()
        written[name] = value.clone() if where in stored else value  # one weight by two names, which the file refuses
        stored.add(where)
    return save(written)


def _checksum(weights: bytes) -> str:
    return hashlib.blake2b(weights, digest_size=16).hexdigest()

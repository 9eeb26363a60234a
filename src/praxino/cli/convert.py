"""Turns an original's weights into an encoder, and back: praxino convert iic FILE.pth OUT.safetensors"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from praxino.cli.line.arguments import refuse_options, required, take_apart
from praxino.errors import UserError, nearest
from praxino.printable import printable

if TYPE_CHECKING:
    from praxino.encoders.siamese import SiameseHead

USAGE = """praxino convert iic|tclr|moco|cyclecontrast|siamfc|cocon|dpc FILE OUT.safetensors [--any.argument VALUE]
       praxino convert iic|tclr|moco|cyclecontrast|siamfc|cocon|dpc RUN OUT.pth --to_original

FILE is a .pth, .pt or .pth.tar file of the original. It is read without running anything in it, and refused if its keys
are not exactly those of one of the original's networks. OUT.safetensors, with OUT.json beside it, is an encoder that
every other command takes; of siamfc, CycleContrast's tracker, the tracker lies beside it. With --to_original the way
back: RUN is a run's folder or an encoder file, and OUT.pth is loaded by the original's scripts. An encoder of your own
classes needs --trust my_file."""
POSITIONAL = ("ORIGINAL", "FILE", "OUT")
BACK = ("to_original",)
NOT_TYPED = ("path", "original")
# Each with what its reader is told beside the file: one reads the files of two originals.
ORIGINALS: dict[str, tuple[str, dict[str, str]]] = {
    "iic": ("praxino.originals.iic_files", {}),
    "tclr": ("praxino.originals.tclr_files", {}),
    "moco": ("praxino.originals.moco_files", {"original": "moco"}),
    "cyclecontrast": ("praxino.originals.moco_files", {"original": "cyclecontrast"}),
    "siamfc": ("praxino.originals.siamfc_files", {}),
    "cocon": ("praxino.originals.cocon_files", {"original": "cocon"}),
    "dpc": ("praxino.originals.cocon_files", {"original": "dpc"}),
}
ENCODER = ".safetensors"
TRACKER = ".tracker.safetensors"
BACK_ENDINGS = (".pth", ".pt", ".tar")
SIAMFC = "siamfc"  # whose files hold a tracker, too


def run(argv: Sequence[str]) -> None:
    """Parses, calls, prints."""
    words = take_apart(argv, POSITIONAL, BACK)
    if "help" in words.flags and not words.positional:
        print(f"usage: {USAGE}")
        return
    name, *places = words.positional if "help" in words.flags else required(words, POSITIONAL)
    if name not in ORIGINALS:
        raise UserError(f"there is no original '{name}'.{nearest(name, ORIGINALS)}")
    from praxino.cli.line.configured import configured
    from praxino.cli.line.encoders import loaded_encoder, trusted
    from praxino.cli.line.help import print_help
    from praxino.configuration.classes import imported
    from praxino.configuration.complete import instantiate

    module, told = ORIGINALS[name]
    encoder_of_file, write_file = (imported(f"{module}.{word}") for word in ("encoder_of_file", "write_file"))
    if "help" in words.flags:
        print_help(USAGE, encoder_of_file, without=NOT_TYPED)
        return
    source, target = map(Path, places)
    if target.is_dir():
        raise UserError(f"{target} is a folder: give the name of a file")
    if BACK[0] in words.flags:
        _refuse_original(target)
        refuse_options(words, ("trust",))
        trust = trusted(words.options.get("trust"))
        more = {"head": _head_beside(places[0], trust)} if name == SIAMFC else {}
        report = write_file(loaded_encoder(places[0], trust), target, **more)
    else:
        _refuse_encoder(name, source, target)
        config = configured(encoder_of_file, words.options, without=NOT_TYPED)
        encoder, report = encoder_of_file(source, **told, **instantiate(encoder_of_file, config))
        encoder.save(target)
    first, *others = report
    print(*map(printable, (f"{target}: {first}", *others)), sep="\n")  # a file's facts and keys are of others' making


def _head_beside(source: str, trust: tuple[str, ...]) -> SiameseHead | None:
    """The siamese head that lies beside an encoder; None where there is none."""
    from praxino.encoders.files import encoder_file
    from praxino.encoders.siamese import read_tracker, tracker_file

    path = tracker_file(encoder_file(source))
    return read_tracker(path, trust)[0] if path.is_file() else None


def _refuse_encoder(name: str, source: Path, target: Path) -> None:
    """Refuses places where no encoder can be written, or where it would take the place of something else."""
    if source.suffix == ENCODER:
        raise UserError(f"{source} is an encoder already: --to_original turns it into the original's form")
    if source.is_dir() or source.suffix == ".ckpt":
        raise UserError(f"{source} is praxino's own: RUN OUT.pth --to_original gives a run the original's form")
    if target.suffix != ENCODER:
        raise UserError(f"{target} should end in {ENCODER}: it is an encoder")
    if target.name.endswith(TRACKER):
        raise UserError(f"{target}: what ends in {TRACKER} is a tracker beside its encoder: give another name")
    if (target.parent / "recipe.yaml").is_file():
        raise UserError(f"{target} would lie in the folder of a run, whose encoders are its own: give another place")
    if name != SIAMFC and target.with_suffix(TRACKER).exists():
        raise UserError(f"beside {target} lies the tracker of another encoder: remove it, or give another name")
    for path in (target, target.with_suffix(".json")):
        _refuse_what_is_there(path)


def _refuse_original(target: Path) -> None:
    """Refuses names that no original has, and a file that is there: it may be the author's."""
    if not target.name.endswith(BACK_ENDINGS):
        raise UserError(f"{target} should end in {', '.join(BACK_ENDINGS)}: it is the original's form")
    _refuse_what_is_there(target)


def _refuse_what_is_there(path: Path) -> None:
    if path.exists():
        raise UserError(f"{path} is there already: give another name, or remove it")

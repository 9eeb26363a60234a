"""What packages offer to users: every public class by a short import, known to type checkers, at no cost before use."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from house_files import PACKAGE, everything, printed

import praxino

ROOMS = [
    "catalogs",
    "streams",
    "clips",
    "views",
    "backbones",
    "losses",
    "encoders",
    "methods",
    "evaluations",
    "prepare",
    "search",
]
# Functions that users call; of the losses all of them. Other functions go by their full path.
FUNCTIONS = {
    "clips": ["collate", "load_clips"],
    "backbones": ["pool"],
    "encoders": ["load_encoders"],
    "evaluations": [
        "compare_encoders", "compare_trackers", "compared_features", "embed_videos", "find_own_video", "finetune",
        "knn", "linear", "members_of", "members_of_all", "probe", "recognise", "retrieve", "show_views",
        "track_sequences", "train_tracker",
    ],
    "prepare": ["prepare_flow", "prepare_keypoints", "prepare_persons", "prepare_segmentation"],
    "search": [
        "clips_of_file", "find_duplicates", "index_videos", "open_index", "search_sequence", "write_hits",
        "write_pairs",
    ],
}  # fmt: skip
# Public classes that no user names, and why.
INTERNAL = {
    "catalogs": {
        "Heading": "the columns of a list: its catalog asks",
        "Held": "what a part of Kinetics holds: its catalog asks",
        "Layout": "where the videos of UCF101 and HMDB51 may lie: a table in the same file",
        "Listing": "the names in folders of pictures: its catalog asks",
        "Lists": "an official split as read: its catalog asks",
        "Located": "what was found of a layout: its catalog asks",
        "Place": "where a sequence lies: its catalog asks",
        "PicturePart": "all pictures of train/ or val/: its catalog asks",
        "Record": "a line of a list, cut into fields",
        "Rendering": "which rendered video a name means: its stream asks",
        "Row": "a line of a list, as read",
    },
    "streams": {
        "Camera": "of a rendered video: its film has it",
        "Course": "where a thing of a rendered video goes",
        "Drawn": "a part of a thing in the frames of a rendered video",
        "Film": "a rendered video: its stream draws it",
        "Pace": "a clock of a course",
        "Part": "of a thing of a rendered video",
        "Placed": "a part of a thing at some moments",
        "RenderedReader": "what its stream opens",
        "Sprite": "what a part looks like",
        "Swing": "a number of a course that goes to and fro",
        "Thing": "what moves in a rendered video",
        "FlowReader": "comes from FlowFolder.open",
        "Found": "what one pass over a file has seen",
        "FrameIndex": "kept in the cache",
        "LiteRTNetworks": "what BlazePose runs with library=litert",
        "MapReader": "comes from HeatMaps.open and Masks.open",
        "Networks": "what BlazePose asks of either library",
        "OpenCVNetworks": "what BlazePose runs with library=opencv",
        "OpenFile": "a decoder's open file",
        "Person": "whom BlazePose saw in a frame",
        "PictureReader": "comes from FrameFolder.open",
        "Piece": "what a path with a stretch says",
        "Pose": "what BlazePose's network says of a region",
        "ProbedVideo": "a row of what a probe of a catalog gives",
        "ProbedVideos": "what a probe of a catalog gives",
        "Region": "the square of a frame that BlazePose looks at",
        "Stretch": "wraps the stream of a video that Cut has cut",
        "StretchReader": "comes from Stretch.open",
        "Turn": "a part of FrameIndex",
        "VideoReader": "comes from VideoFile.open",
    },
    "clips": {
        "Awaited": "what batches() gives: its next and close are those of any iterator",
        "BatchKey": "the loader tells the data set which batch",
        "ClipsEvery": "the clips of embed --every",
        "Handed": "what a loading process asks for items",
        "LoadedFrames": "a part of LoadedVideo",
        "LoadedVideo": "goes from load_clips to collate",
        "Part": "some clips of a long video, of embed --every",
        "Patience": "the loader asks it whether loading processes hang",
        "Piece": "which rows of a flat batch are a video's",
        "Stopped": "the loader tells the loop that a signal ended a wait",
    },
    "views": {"Taps": "weights of a resize"},
    "backbones": {
        "BasicBlock": "a piece of a network",
        "Block": "a piece of a network",
        "BlockMaker": "a type of a piece of a network",
        "Bottleneck": "a piece of a network",
        "ConvGRUCell": "a piece of a network",
        "Convolution": "a type of a piece of a network",
        "FactoredConv": "a piece of a network",
    },
    "losses": {"Dense": "what dense_nce gives", "Synchronised": "what synchronisation gives"},
    "methods": {"PredictionNetwork": "a piece of DPC and CoCon", "ProjectionHead": "TCLR's own"},
    "evaluations": {
        "NoneReadable": "a mistake whose line is all that users see",
        "Drawn": "what is random about a crop of PairCrops",
        "Followed": "what trackers made of a sequence, a step of compare_trackers",
        "GOT10kScores": "what a sequence scored, a step of compare_trackers",
        "GOT10kTable": "gathers what trackers scored, a step of compare_trackers",
        "AnnotatedVideo": "a file that track_video writes",
        "Linear": "weights of the linear solver",
        "OTBScores": "what a sequence scored, a step of compare_trackers",
        "OTBTable": "gathers what trackers scored, a step of compare_trackers",
        "Probabilities": "what a test says of each video, kept beside its result",
        "Retrieval": "what metrics.retrieval gives, a step of retrieve",
        "Scores": "what a test gives, a step of recognise",
        "Search": "how a tracker reads its responses",
        "SideBySide": "embeds members jointly, a step of compared_features",
        "Thumbnails": "write_result makes them",
        "Table": "gathers what trackers scored, a step of compare_trackers",
        "TestedAfter": "what fine-tuning asks of the loop",
        "Trunk": "a tracker makes it of its encoder",
        "Track": "what a tracker made of a sequence, a step of compare_trackers",
        "Tracked": "what track_video gives",
    },
    "prepare": {
        "FlowPictures": "the function of a view makes it",
        "Form": "the base of the files of a view",
        "Made": "a frame on its way to its files",
        "Making": "what the processes of prepare do",
        "Manifest": "a file that prepare reads and writes",
        "MapFiles": "the function of a view makes it",
        "OneView": "what the processes of prepare do",
        "Record": "a part of Prepared",
        "View": "the function of a view makes it",
    },
    "search": {
        "Agreement": "where two videos agree, a step of find_duplicates",
        "Arrays": "opens what is written into an index",
        "Asked": "what a query was, for its page",
        "Best": "gathers rows in one pass over the vectors",
        "Building": "index_videos makes an index by it",
        "Contents": "checksums of files, for index_videos",
        "Embedding": "how clips become vectors",
        "Graph": "what an approximate search walks, a step of Index.search",
        "Hashes": "the frames of a video, as find_duplicates compares them",
        "Header": "what stands in index.json",
        "Kept": "where the clips of a video lie",
        "Listed": "the lists of a catalog, for find_duplicates",
        "Look": "what the system says of files",
        "Moment": "what a search puts together, a step of Index.search",
        "Pending": "a video that index_videos has to embed",
        "Record": "a line of the manifest",
        "Run": "what an alignment finds",
    },
}


def defined(room: str) -> dict[str, object]:
    """Public classes of a room's files, and those of its functions that users call."""
    own = [(name, value) for module in everything(room) for name, value in vars(module).items()
           if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")]  # fmt: skip
    functions = {name for name, value in own if inspect.isfunction(value)}
    wanted = functions if room == "losses" else set(FUNCTIONS.get(room, []))
    return {name: value for name, value in own if inspect.isclass(value) or (name in wanted and name in functions)}


@pytest.mark.parametrize("room", ROOMS)
def test_packages_offer_their_public_classes(room: str) -> None:
    package = importlib.import_module(f"praxino.{room}")
    found, internal = defined(room), INTERNAL.get(room, {})
    assert set(internal) <= set(found), f"of {room}, no longer there: {set(internal) - set(found)}"
    missing = set(found) - set(internal) - set(package.__all__)
    assert not missing, f"praxino/{room}/__init__.py lacks {', '.join(sorted(missing))}"
    assert set(package.__all__) == set(found) - set(internal)
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is found[name], name


@pytest.mark.parametrize("room", ROOMS)
def test_type_checkers_are_told_the_same_names(room: str) -> None:
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    told = [(n.module, alias) for n in block.body if isinstance(n, ast.ImportFrom) for alias in n.names]
    # Without `as` itself a name is private to a strict type checker.
    assert all(alias.asname == alias.name for _, alias in told)
    package = importlib.import_module(f"praxino.{room}")
    assert sorted(alias.name for _, alias in told) == sorted(package.__all__)
    for module, alias in told:
        assert getattr(package, alias.name).__module__ == module


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_is_that_of_a_file(room: str) -> None:
    """The import system sets a package's attribute to a module that was imported: it would replace the class."""
    files = {path.stem for path in (PACKAGE / room).iterdir()}
    clash = files & set(importlib.import_module(f"praxino.{room}").__all__)
    assert not clash, f"{room}: rename the file, not the class: {', '.join(clash)}"


@pytest.mark.parametrize("first", ["package", "file"])
def test_a_name_is_the_same_whatever_was_imported_before(first: str) -> None:
    """In a process of its own, where nothing else has been imported."""
    code = ["same = []"]
    for room, name in (("losses", "nt_xent"), ("evaluations", "knn"), ("evaluations", "linear"), ("methods", "TCLR")):
        file = getattr(importlib.import_module(f"praxino.{room}"), name).__module__
        lines = [f"from praxino.{room} import {name} as a", f"import {file}", f"from {file} import {name} as b"]
        code += lines if first == "package" else [*lines[1:], lines[0]]
        code += [f"from praxino.{room} import {name} as c", "same.append(callable(a) and a is b is c)"]
    assert printed("\n".join([*code, "print(same)"])) == "[True, True, True, True]"


def test_unknown_names_get_the_nearest() -> None:
    import praxino.methods

    with pytest.raises(AttributeError, match=r"^praxino\.methods has no 'TCRL'\. Did you mean 'TCLR'\?$"):
        praxino.methods.TCRL  # noqa: B018
    with pytest.raises(ImportError, match="TCRL"):
        from praxino.methods import TCRL  # noqa: F401
    assert not hasattr(praxino.methods, "__wrapped__")
    assert importlib.import_module("praxino.methods.tclr").TCLR is praxino.methods.TCLR


def test_a_file_is_still_found_in_its_package() -> None:
    assert printed("from praxino.catalogs import ucf101, UCF101; print(ucf101.UCF101 is UCF101)") == "True"


def test_short_names_in_recipes_are_found_without_the_packages_names() -> None:
    """`known` looks into the files, so a class that its package does not offer is found, too."""
    from praxino.backbones.base import Backbone
    from praxino.catalogs.base import Catalog
    from praxino.configuration.classes import find, imported, known
    from praxino.methods.base import Method
    from praxino.views.pipeline import Operation

    for room, base in {"backbones": Backbone, "catalogs": Catalog, "methods": Method, "views": Operation}.items():
        offered = importlib.import_module(f"praxino.{room}")
        classes = [value for value in (getattr(offered, name) for name in offered.__all__) if inspect.isclass(value)]
        concrete = {c for c in classes if issubclass(c, base) and c is not base and not inspect.isabstract(c)}
        assert concrete == set(known(base).values()) - {base}
    assert find("praxino.methods.TCLR", [Method]) is imported("praxino.methods.tclr.TCLR")


def test_the_whole_of_it_loads_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    import praxino.encoders.encoder as encoder

    monkeypatch.setattr(encoder, "load_encoders", lambda *place, **trust: {"rgb": (place, trust)})
    assert praxino.load_encoders("run", trust=("mine",)) == {"rgb": (("run",), {"trust": ("mine",)})}
    assert set(praxino.__all__) == {"__version__", "load_encoder", "load_encoders", "open_index"}


@pytest.mark.slow
def test_mypy_knows_the_names(tmp_path: Path) -> None:
    """In a user's file, in the strict mode, where a name that is not said to be public is an error."""
    pytest.importorskip("mypy")
    file, settings = tmp_path / "mine.py", tmp_path / "mypy.ini"
    file.write_text(
        "from praxino.encoders import Encoder, load_encoders\n"
        "from praxino.losses import nt_xent\n"
        "from praxino.methods import TCLR\n"
        "def wrong(encoder: Encoder) -> int:\n"
        "    return encoder.classes\n"
        "reveal_type(TCLR.objective)\n"
        "reveal_type(nt_xent)\n"
        "from praxino.methods import TCRL\n"
    )
    # Only praxino is looked into: torch alone takes half a minute.
    settings.write_text("[mypy]\nstrict = True\nfollow_imports = skip\n[mypy-praxino.*]\nfollow_imports = silent\n")
    words = [sys.executable, "-m", "mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", file]
    said = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False).stdout.splitlines()
    parts = [line.partition(": ")[2] for line in said]
    assert parts[0] == 'error: Incompatible return value type (got "tuple[str, ...]", expected "int")  [return-value]'
    assert 'note: Revealed type is "def (self: praxino.methods.tclr.TCLR' in parts[1]
    assert 'note: Revealed type is "def (first: ' in parts[2]
    assert parts[3].startswith('error: Module "praxino.methods" has no attribute "TCRL"')
    assert len(parts) == 5, said

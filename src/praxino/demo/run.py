"""The whole way in minutes: videos, pretraining without labels, scores beside baselines, a page to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from praxino import ranks
from praxino.catalogs.base import Catalog
from praxino.catalogs.folder import VideoFolder
from praxino.catalogs.listfile import ListFile
from praxino.configuration.complete import complete
from praxino.configuration.documents import read
from praxino.configuration.earlier import as_now
from praxino.configuration.recipes import recipe_file
from praxino.demo.labelled import retrieval_by_folders
from praxino.demo.render import render
from praxino.encoders.encoder import Encoder
from praxino.errors import UserError, check_numbers
from praxino.evaluations.comparison import HANDMADE
from praxino.evaluations.instance import find_own_video
from praxino.evaluations.measured import measured_line
from praxino.evaluations.metrics import bootstrap_interval
from praxino.evaluations.result import Result, best_handmade, table_lines, write_result
from praxino.evaluations.retrieval import retrieve
from praxino.files import make_folder
from praxino.printable import are, counted
from praxino.report.page import write_report
from praxino.training.pretrain import pretrain
from praxino.training.run import Run
from praxino.training.start import OUTSIDE, resume, start

Bars = Callable[[str], AbstractContextManager[Any]]
MOST_WORKERS = 8  # by itself: the small videos are read quickly
FEW = 100  # videos; of fewer it is said
# What of a recipe decides what is learnt, and what is measured of it.
LEARNT_FROM = ("catalog", "seed", "stages", "method", "protocol", "sampler", "canvas", "streams", "batch_size")
VIEW = "residual"  # fixed beforehand, for every row of the table: the class of the rendered videos is their motion


def demo(
    videos: Path | None = None,
    out: Path = Path("praxino-demo"),
    seed: int = 0,
    steps: int | None = None,
    workers: int | None = None,
    threads: int | None = None,
    recipe: str = "simclr_demo",
    say: Callable[[str], None] = print,
    bars: Bars | None = None,
) -> Result:
    """Pretrains on rendered videos, or on one's own, and shows what was learnt.

    Args:
        videos: a folder of one's own videos; none: a labelled set is rendered, whose class is the motion.
        out: the run's folder, with report.html; a demo that was stopped there is gone on with.
        seed: of everything random.
        steps: training steps; none: the recipe's.
        workers: loading processes; none: one less than there are cores.
        threads: of the CPU; none: as many as there are cores. Fewer where it does other work, too.
        recipe: what is trained.
        say: takes lines for the screen.
        bars: makes, for a title, a context that gives a function of (done, total), or None; none: nothing is shown.

    Returns:
        The scores, as they stand in the report.

    Raises:
        UserError: as of pretraining, or if there are fewer than four videos, or the recipe has not the view that is
            measured.
    """
    began = time.perf_counter()
    out = Path(out)
    bars = bars or _no_bar
    workers = min(MOST_WORKERS, max(1, ranks.cores() - 1)) if workers is None else workers
    check_numbers(threads=threads)
    if threads:
        torch.set_num_threads(threads)
    given = _recipe(recipe)
    catalog = _rendered(out, seed, say, bars) if videos is None else VideoFolder(str(videos))
    config = _config(catalog, out, seed, steps, workers, threads, given)
    run = _trained(config, out, threads, say)
    if not run.finished:
        raise UserError(f"the demo was stopped and saved: the same command goes on, or 'praxino resume {out}'")

    encoder = Encoder.load(out)
    say("measuring: the trained network beside chance, an untrained one, one frame, and hand-made features")
    with bars("measuring") as progress:
        shown: dict[str, Any] = {"view": VIEW, "workers": workers, "progress": progress}
        if videos is None:
            result = retrieve(encoder, catalog, k=(1, 5), **shown)
        else:
            result = find_own_video(encoder, catalog, max_left_out=1.0, **shown)
    results = [result]
    if videos is not None:
        with bars("measuring by class folders") as progress:
            results += retrieval_by_folders(encoder, catalog, **shown | {"progress": progress})
    for one in results:
        one.settings["measured on"] = measured_line(catalog, {})
        write_result(out, one.protocol, one, catalog.classes)
    report = write_report(out)
    for line in [line for one in results for line in [one.title, *table_lines(one), *_remarks(one)]]:
        say(line)
    for line in _cautions(result, len(catalog) if videos else None):
        say(line)
    shows = "the tables, the curves of the training, and queries beside their nearest neighbours"
    say(f"{time.perf_counter() - began:.0f} s in all; look at {report}: {shows}")
    return result


@contextmanager
def _no_bar(title: str) -> Iterator[None]:
    yield None


def _rendered(out: Path, seed: int, say: Callable[[str], None], bars: Bars) -> Catalog:
    make_folder(out)
    say("rendering the videos: a camera over a cluttered ground; how the view moves is the class")
    with bars("rendering") as progress:
        folder = render(out / "videos", seed=seed, progress=progress)
    return ListFile(str(folder / "train.txt"), test=str(folder / "test.txt"))


def _recipe(name: str) -> dict[str, Any]:
    """A recipe whose encoder can be measured, which is looked at before anything is rendered or trained."""
    given = as_now(read(recipe_file(name)))
    protocol = given.get("protocol")
    views = protocol.get("views") if isinstance(protocol, Mapping) else None
    if not isinstance(views, Mapping) or VIEW not in views:
        there = f"has {', '.join(map(str, views))}" if views else "says nothing of views"
        raise UserError(
            f"--recipe {name}: the demo measures the view '{VIEW}', and this recipe {there}: pass one that has it, "
            "such as simclr_small"
        )
    stages = given.get("stages")
    if not isinstance(stages, list) or not stages or not isinstance(stages[0], Mapping):
        raise UserError(f"--recipe {name}: its 'stages' are no list of stages, such as simclr_small has")
    return given


def _config(
    catalog: Catalog,
    out: Path,
    seed: int,
    steps: int | None,
    workers: int,
    threads: int | None,
    given: dict[str, Any],
) -> dict[str, Any]:
    training = len(catalog.part("train"))
    if training < 4:
        raise UserError(
            f"{counted(training, 'video')} {are(training)} too few to learn from: give a folder of at least four; "
            "of one long file 'praxino pretrain simclr_small --videos FILE --cut 10' makes several"
        )
    if steps is not None:
        given["stages"][0] = {k: v for k, v in given["stages"][0].items() if k != "epochs"} | {"steps": steps}
    from praxino.described import describe

    given |= {
        "catalog": describe(catalog),
        "out": str(out),
        "seed": seed,
        "workers": workers,
        "threads": threads or max(1, ranks.cores() - workers // 2),
        "batch_size": min(given.get("batch_size", 32), max(2, training // 2)),
        "max_left_out": 1.0,
    }
    return complete(pretrain, given, without=OUTSIDE)


def _trained(config: Mapping[str, Any], out: Path, threads: int | None, say: Callable[[str], None]) -> Run:
    if not (out / "recipe.yaml").is_file():
        say("pretraining, without a look at any label")
        return start(config)
    then = as_now(Run(out).recipe())
    then.pop("kind", None)
    then = complete(pretrain, then, without=OUTSIDE, partial=True)
    for name in LEARNT_FROM:
        if then[name] != config[name]:
            raise UserError(f"{out} holds a run that differs in its {name}: pass another --out, or remove that folder")
    if Run(out).finished:
        say(f"trained already, in {out}")
        return Run(out)
    say(f"going on with the run in {out}")
    return resume(out, threads)


def _remarks(result: Result) -> list[str]:
    """What the table says in words, where a reader might want it otherwise."""
    lines = []
    first = result.columns[0]
    trained, untrained = result.row("trained"), result.row("untrained")
    winner = best_handmade(result, HANDMADE, first)
    if winner:
        apart = winner.intervals[first][0] > trained.intervals[first][1]
        lines.append(
            f"'{winner.name}', a hand-made feature, {'beats' if apart else 'is above'} the trained network at {first}: "
            f"{winner.values[first]:.1f} against {trained.values[first]:.1f}"
            + ("" if apart else " (the intervals overlap: no difference is shown)")
        )
    if result.per_query:
        lines.append(_ahead(result, first))
    if trained.intervals[first][0] <= untrained.intervals[first][1]:
        lines.append("the intervals of the trained and the untrained network overlap: no difference is shown")
    return lines


def _cautions(result: Result, videos: int | None) -> list[str]:
    """What holds for the tables together: of few videos, and of those that could not be read."""
    lines = []
    read = videos - len(result.left_out) if videos is not None else FEW
    if read < FEW:
        lines.append(
            f"{counted(read, 'video')} {are(read)} few: so short a run shows that it works, not what is possible"
        )
    if result.left_out:
        lines.append(f"left out: {counted(len(result.left_out), 'video')}; the report lists them")
    return lines


def _ahead(result: Result, column: str) -> str:
    """The trained network beside the best hand-made feature, query by query."""
    best = max((row for row in result.rows if row.name in HANDMADE), key=lambda row: row.values[column])
    ours, theirs = (np.asarray(result.per_query[name][column], float) for name in ("trained", best.name))
    low, high = (100 * end for end in bootstrap_interval(ours - theirs))
    apart = f"{100 * (ours - theirs).mean():+.1f} [{low:+.1f}, {high:+.1f}]"
    return f"trained less '{best.name}', the best hand-made, query by query at {column}: {apart}"

"""How well duplicates are found: clips of UCF101 with copies of them, of which is known what they are copies of.

    python benchmarks/duplicates.py --root DATA [--encoder built-in]

From each class clips of some groups are taken, and of each clip a copy of every kind is made in a temporary folder, all
written anew by x264 (ultrafast) at another quality. Videos and copies are embedded together, and `find_duplicates`
looks for pairs. Recall of a kind: clips whose pair with their own copy is found. A pair is right where both are made of
one clip, and false where their groups differ. UCF101 cut all clips of a group out of one video: they may truly share
footage, or look alike without it, so a pair within a group counts as neither.

    python benchmarks/duplicates.py --root DATA --chosen

prints what settings give on clips of groups 22 to 25, on which they were chosen: each clip is compared with all other
videos, without an encoder.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import av
import numpy as np

KINDS = ("re-encoded", "resized", "cut", "cropped 10 %", "cropped 5 %", "mirrored", "sped up")
CHOSEN_ON = range(22, 26)
GROUPS = (1, 4, 8, 11, 15)
DISTANCE, STEPS = 16, 8  # that find_duplicates has
LEAST = 2.0  # seconds of a cut
DISTANCES, SHARES = (12, 16, 20), (0.2, 0.3, 0.4, 0.5, 0.7)


def clips_of(root: Path, groups: tuple[int, ...], twice: int) -> list[Path]:
    """The first clip of these groups in each class, and the second one of the first few groups."""
    found = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        for number, group in enumerate(groups):
            clips = sorted(folder.glob(f"v_*_g{group:02d}_c*.*"))
            found += clips[: 2 if number < twice else 1]
    return found


def frames_of(path: Path) -> tuple[list[np.ndarray], Fraction]:
    """Frames uint8 [H, W, 3] of a video, and how many a second."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)], stream.average_rate


def write(path: Path, frames: list[np.ndarray], rate: Fraction, crf: int, size: tuple[int, int] | None = None) -> None:
    """Writes frames into a file.

    Args:
        path: of the file.
        frames: of it.
        rate: frames a second.
        crf: of x264, the higher, the fewer bits.
        size: height and width; none: even numbers, as they are.
    """
    height, width = size or (frames[0].shape[0] // 2 * 2, frames[0].shape[1] // 2 * 2)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "ultrafast"})
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        stream.codec_context.thread_count = 1
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            file.mux(stream.encode(frame.reformat(width, height, "yuv420p")))
        file.mux(stream.encode(None))


def copies(clip: Path, out: Path, draw: random.Random) -> Iterator[tuple[str, Path]]:
    """Writes a copy of each kind; no cut of a clip that is hardly longer than one."""
    frames, rate = frames_of(clip)
    height, width = frames[0].shape[:2]
    for kind in KINDS:
        path, size, shown, speed = out / f"{clip.stem}.{word_of(kind)}.mp4", None, frames, rate
        if kind == "resized":
            size = 90, 120
        if kind == "cut":
            length = max(int(LEAST * rate) + 1, int(len(frames) * draw.uniform(0.4, 0.7)))
            if length > 0.8 * len(frames):
                continue
            first = draw.randrange(1, len(frames) - length + 1)
            shown = frames[first : first + length]
        if kind.startswith("cropped"):
            rows, columns = (round(side * int(kind.split()[1]) / 100) for side in (height, width))
            shown = [frame[rows : height - rows, columns : width - columns] for frame in frames]
        if kind == "mirrored":
            shown = [frame[:, ::-1] for frame in frames]
        if kind == "sped up":
            speed = rate * Fraction(5, 4)
        write(path, shown, speed, 36 if kind == "re-encoded" else 28, size)
        yield kind, path


def word_of(kind: str) -> str:
    """A kind in the name of a file."""
    return kind.replace(" %", "").replace(" ", "_")


def family(name: str) -> str:
    """The clip that a video is made of."""
    return Path(name).name.partition(".")[0]


def group(name: str) -> str:
    """Its class and group."""
    return re.sub(r"_c\d+$", "", family(name))


def kind_of(name: str) -> str:
    """What kind of copy it is; empty for the clip itself."""
    return next((kind for kind in KINDS if f".{word_of(kind)}." in name), "")


def judged(pairs: list[tuple[str, str]]) -> Counter[str]:
    """How many pairs are right, within a group, and false; and for each kind its pairs with clips."""
    count: Counter[str] = Counter()
    for one, other in pairs:
        same, near = family(one) == family(other), group(one) == group(other)
        verdict = "right" if same else "group" if near else "false"
        count[verdict] += 1
        kinds = {kind_of(one), kind_of(other)}
        if "" in kinds:
            count[f"{verdict} {''.join(kinds) or 'clip'}"] += 1
    return count


def share(part: int, whole: int) -> str:
    """As a number with three digits, and both counts."""
    return f"{part / whole:.3f} ({part} of {whole})" if whole else "none"


def printed(count: Counter[str], made: Counter[str]) -> None:
    """The table of kinds."""
    print("| kind | recall | precision | within a group |\n|---|---|---|---|")
    for kind in KINDS:
        right, false = count[f"right {kind}"], count[f"false {kind}"]
        print(f"| {kind} | {share(right, made[kind])} | {share(right, right + false)} | {count[f'group {kind}']} |")
    print(f"| clips with clips |  | {count['false clip']} false | {count['group clip']} |")
    print(f"| all pairs |  | {share(count['right'], count['right'] + count['false'])} | {count['group']} |")


def measure(root: Path, place: str) -> None:
    """Prints the tables of the settings that praxino has."""
    import praxino
    from praxino.catalogs.folder import VideoFolder
    from praxino.encoders.joined import JOINT
    from praxino.search.alignment import agreement
    from praxino.search.build import index_videos
    from praxino.search.duplicates import find_duplicates
    from praxino.search.hashes import hashes_of

    with tempfile.TemporaryDirectory() as folder:
        made = videos_into(Path(folder, "v"), clips_of(root, GROUPS, 1))
        began = time.process_time()
        encoder = praxino.load_encoder() if place == "built-in" else praxino.load_encoder(place)
        view = JOINT if len(encoder.views) > 1 else None
        index_videos(encoder, VideoFolder(f"{folder}/v"), f"{folder}/i", view=view, workers=0, device="cpu")
        embedded, began = time.process_time() - began, time.process_time()
        index = praxino.open_index(f"{folder}/i")
        found = find_duplicates(index)
        took = time.process_time() - began
        pairs = {(pair.one.video, pair.other.video) for pair in found}
        missed = []
        for one, other in combinations([index.video(number) for number in range(len(index.records))], 2):
            clips_own = family(one.id) == family(other.id) and "" in (kind_of(one.id), kind_of(other.id))
            if clips_own and (one.id, other.id) not in pairs:
                missed.append((one.id, other.id, agreement(hashes_of(one), hashes_of(other), DISTANCE)))
    print(f"{made['clips']} clips and {sum(made[kind] for kind in KINDS)} copies, encoder {place}:\n")
    printed(judged([(pair.one.video, pair.other.video) for pair in found]), made)
    print(f"\n{found.compared} candidates compared in {took:.0f} s of a processor; embedding took {embedded:.0f} s.\n")
    for pair in found:
        if group(pair.one.video) != group(pair.other.video):
            print(f"- false: {pair.one.video}, {pair.other.video}: share {pair.share:.2f}, {pair.distance:.1f} bits")
    for one, other, by_frames in missed:
        print(f"- missed: {one}, {other}: of its frames {by_frames.share if by_frames else 0:.2f} agree")


def videos_into(folder: Path, clips: list[Path]) -> Counter[str]:
    """Links clips into a folder, with their copies; how many of each kind."""
    draw, made = random.Random(0), Counter(clips=len(clips))
    for clip in clips:
        (folder / clip.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / clip.parent.name / clip.name).symlink_to(clip.resolve())
        made.update(kind for kind, _ in copies(clip, folder / clip.parent.name, draw))
    return made


def chosen(root: Path) -> None:
    """Prints what each setting gives on the groups on which settings are chosen."""
    from praxino.catalogs.base import Video
    from praxino.search.alignment import agreement
    from praxino.search.hashes import hashes_of

    with tempfile.TemporaryDirectory() as folder:
        made = videos_into(Path(folder), clips_of(root, tuple(CHOSEN_ON), 1))
        paths = sorted(map(str, Path(folder).rglob("*.mp4")))
        hashes = {path: hashes_of(Video(path, {"rgb": path})) for path in paths}
    copied = sum(made[kind] for kind in KINDS)
    print(f"{made['clips']} clips, {copied} copies, each clip compared with all other videos:\n")
    heads = ("distance below", "share", *KINDS, "precision", "within a group")
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for distance in DISTANCES:
        pairs = [(a, b) for a, b in combinations(paths, 2) if "" in (kind_of(a), kind_of(b))]
        found = [(a, b, agreement(hashes[a], hashes[b], distance)) for a, b in pairs]
        for least in SHARES:
            count = judged([(a, b) for a, b, at in found if at and at.share >= least and at.steps >= STEPS])
            recalls = [f"{count[f'right {kind}'] / made[kind]:.3f}" for kind in KINDS]
            precision = share(count["right"], count["right"] + count["false"])
            print(f"| {distance} | {least} | {' | '.join(recalls)} | {precision} | {count['group']} |", flush=True)


def main() -> None:
    """Prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="class folders of UCF101, or of a selection of it")
    parser.add_argument("--encoder", default="built-in", help="a run, or an encoder file")
    parser.add_argument("--chosen", action="store_true", help="the choice of the settings")
    words = parser.parse_args()
    if words.chosen:
        chosen(words.root)
    else:
        measure(words.root, words.encoder)


if __name__ == "__main__":
    main()

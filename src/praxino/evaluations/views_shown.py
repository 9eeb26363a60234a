"""What a run's encoders see of a few videos: the same clip through every view, in pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from praxino.batch import ClipBatch
from praxino.catalogs.base import Catalog, Part, Video
from praxino.clips.dataset import collate, load_clips
from praxino.clips.samplers import Sampler
from praxino.encoders.encoder import Encoder
from praxino.errors import UnreadableVideo, UserError, check_within
from praxino.evaluations.features import NoneReadable, refuse_unreadable
from praxino.evaluations.figures import Picture
from praxino.evaluations.joint import Member, asked_of, members_of_all, refuse_other_clips
from praxino.evaluations.result import Result, Row
from praxino.printable import counted
from praxino.rng import Rng
from praxino.training.inputs import picture_of

PRESENT = "frames present"
GAP = 4  # white pixels between two views
LEAST_WIDTH = 768  # pixels of a picture


def show_views(
    encoders: Mapping[str, Encoder],
    catalog: Catalog,
    part: Part = "test",
    most_videos: int = 6,
    seed: int = 0,
    view: str | None = None,
    views: Sequence[str] | None = None,
    sampler: Sampler | None = None,
    max_left_out: float = 0.1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """One clip of each of a few videos as the encoders see it, a row for each view, and how much of it is there.

    `frames present`, in percent, is the share of the clips' frames that a stream has: of files, those that are not
    missing; of what is looked for in a frame, such as a person, those in which it was found while loading.

    Args:
        encoders: all of a run, by name, which read the same clips; or one.
        catalog: the videos.
        part: of the catalog.
        most_videos: how many of it, drawn without replacement; all where it has fewer.
        seed: of the draw.
        view, views: of a single encoder.
        sampler: which clips of a video, of which the middle one is shown; none: as each encoder says.
        max_left_out: largest share of unreadable videos, 0 to 1.
        progress: called with (videos done, videos).

    Raises:
        UserError: if the encoders do not read the same clips, or too much is unreadable.
    """
    check_within(1, most_videos=most_videos)
    members = members_of_all(asked_of(encoders, None, sampler, "cpu"), view, views)
    refuse_other_clips(members)
    whole = catalog.part(part)
    rows = np.sort(Rng(seed, "views").shared().permutation(len(whole))[:most_videos])
    if not len(rows):
        raise UserError(f"there are no videos to look at: the part '{part}' of the catalog is empty")
    pictures: list[Picture] = []
    left_out: list[tuple[str, str]] = []
    there: dict[str, list[float]] = {name: [] for name in members}
    for done, video in enumerate((whole[int(row)] for row in rows), 1):
        try:
            clip = _middle_clip(video, members, Rng(seed, "views", done))
        except UnreadableVideo as error:
            left_out.append((video.id, error.reason))
        else:
            pictures.append(_picture(video, clip, members))
            for name, member in members.items():
                there[name].append(_present(clip, member))
        if progress:
            progress(done, len(rows))
    refuse_unreadable(left_out, len(rows), max_left_out)
    if not pictures:
        raise NoneReadable(left_out)
    encoder = next(iter(members.values())).encoder
    return Result(
        "views",
        f"What {', '.join(members)} {'see' if len(members) > 1 else 'sees'} of {counted(len(pictures), 'video')}",
        {
            "view": ", ".join(f"{name}: {one.view}" for name, one in members.items()),
            "part": part,
            "videos": len(pictures),
            "seed": seed,
            "sampler": type(encoder.sampler).__name__,
        },
        [PRESENT],
        [Row(name, {PRESENT: 100 * float(np.mean(shares))}) for name, shares in there.items()],
        left_out=left_out,
        pictures=pictures,
    )


def _middle_clip(video: Video, members: Mapping[str, Member], rng: Rng) -> ClipBatch:
    """The middle one of the clips that the encoders take of a video, as a batch of one."""
    encoder = next(iter(members.values())).encoder
    needed = dict.fromkeys(one.encoder.view(one.view).stream for one in members.values())
    loaded = load_clips(video, needed, encoder.streams, encoder.canvas, encoder.sampler, rng.shared())
    middle = len(loaded.numbers) // 2
    return collate([loaded.only(slice(middle, middle + 1))], [0], [video.label])


def _present(clip: ClipBatch, member: Member) -> float:
    frames = clip.streams[member.encoder.view(member.view).stream]
    return float(frames.present[frames.where].float().mean())


def _picture(video: Video, clip: ClipBatch, members: Mapping[str, Member]) -> Picture:
    seen = {name: one.encoder.view(one.view)(clip, Rng(0)).squeeze(1) for name, one in members.items()}
    rows = {name: picture_of(clips) for name, clips in seen.items()}
    named = [_named(name, clips.shape[1]) for name, clips in seen.items()]
    first, last = (float(time) for time in clip.times[0, 0, [0, -1]])
    return Picture(
        video.id, _below_each_other(list(rows.values())), f"{first:.1f} s to {last:.1f} s: {', '.join(named)}."
    )


def _named(name: str, channels: int) -> str:
    if channels in (1, 3):
        return name
    return f"{name} (to the right, then down)" if channels == 2 else f"{name} (the greatest of {channels} channels)"


def _below_each_other(rows: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of one width, their pixels repeated, with a white line between them."""
    width = max(LEAST_WIDTH, *(row.shape[1] for row in rows))
    parts: list[NDArray[np.uint8]] = []
    for row in rows:
        height = max(1, round(row.shape[0] * width / row.shape[1]))
        up, across = (np.arange(new) * old // new for new, old in zip((height, width), row.shape[:2], strict=True))
        parts += [row[up][:, across], np.full((GAP, width, 3), 255, np.uint8)]
    return np.concatenate(parts[:-1])

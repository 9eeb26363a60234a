"""Held-out videos by groups of a list: a group with videos of several classes is never on both sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from praxino.catalogs.base import Video
from praxino.catalogs.listfile import ListFile
from praxino.errors import UserError
from praxino.rng import Rng
from praxino.training.held_out import held_out_rows, split_off

LABELS = st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 7))), min_size=2, max_size=40)


def listed(pairs):
    return [
        Video(f"{k}.mp4", {}, label, None if group is None else f"g{group}") for k, (label, group) in enumerate(pairs)
    ]


def class_by_class(videos, share, rng):
    """What was held out while each group was of one class: independent of how it is done today."""
    drawn = rng.shared().permutation(len(videos)).tolist()
    held, owed = [], 0.0
    for label in sorted({video.label for video in videos}):
        groups = {}
        for row in drawn:
            if videos[row].label == label:
                groups.setdefault(videos[row].group or videos[row].id, []).append(row)
        owed += share * sum(map(len, groups.values()))
        for group in list(groups.values())[:-1]:
            if len(group) / 2 > owed:
                break
            held += group
            owed -= len(group)
    return sorted(held)


def by_names(videos, share, rng):
    """What is held out, with an object for each video and group: independent of the columns of today."""
    drawn = rng.shared().permutation(len(videos)).tolist()
    groups, classes = {}, {}
    for row in drawn:
        groups.setdefault(videos[row].group or videos[row].id, []).append(row)
    for name, rows in groups.items():
        for row in rows:
            label = -1 if videos[row].label is None else videos[row].label
            classes.setdefault(label, {}).setdefault(name, []).append(row)
    staying = {list(names)[-1] for names in classes.values()}
    held, owed = [], 0.0
    for label in sorted(classes):
        owed += share * sum(map(len, classes[label].values()))
        for name in [name for name in classes[label] if name not in staying and name not in held]:
            if len(groups[name]) / 2 > owed:
                break
            held.append(name)
            owed -= len(groups[name])
    return sorted(row for name in held for row in groups[name])


def held_or_none(videos, share, seed):
    try:
        return held_out_rows(videos, share, "group", Rng(seed)).tolist()
    except UserError:
        return []


@given(LABELS, st.floats(0.02, 0.7), st.integers(0, 50))
def test_groups_of_several_classes_are_whole(pairs, share, seed):
    videos = listed(pairs)
    held = held_or_none(videos, share, seed)
    kept = [row for row in range(len(videos)) if row not in held]
    assert held == sorted(set(held))
    assert not {videos[k].group for k in held} & {videos[k].group for k in kept} - {None}
    assert {videos[k].label for k in kept} == {video.label for video in videos}


@given(LABELS, st.floats(0.02, 0.7), st.integers(0, 50))
def test_groups_of_one_class_are_drawn_as_ever(pairs, share, seed):
    videos = listed([(label, None if group is None else 10 * label + group) for label, group in pairs])
    exact = round(share * len(videos)) / len(videos)
    assert held_or_none(videos, share, seed) == class_by_class(videos, exact, Rng(seed))


NAMES = st.sampled_from([None, "", "a", "b", "1.mp4", "2.mp4", "\udce9"])  # some are videos' ids


@given(
    st.lists(st.tuples(st.sampled_from([None, 0, 1, 2]), NAMES), min_size=2), st.floats(0.02, 0.7), st.integers(0, 50)
)
def test_columns_hold_out_what_names_did(pairs, share, seed):
    videos = [Video(f"{k}.mp4", {}, label, group) for k, (label, group) in enumerate(pairs)]
    exact = round(share * len(videos)) / len(videos)
    assert held_or_none(videos, share, seed) == by_names(videos, exact, Rng(seed))


@pytest.mark.parametrize("persons", [3, 12])
def test_the_share_is_held_out_where_everyone_does_everything(persons):
    videos = listed([(label, person) for person in range(persons) for label in range(10)])
    share = 1 / persons
    held = [held_out_rows(videos, share, "group", Rng(seed)) for seed in range(20)]
    assert {len(rows) for rows in held} == {10}
    assert len(np.unique(np.concatenate(held))) > 20


def test_a_list_with_groups(tmp_path):
    """Two cameras film two actions: none of them is trained on and held out."""
    cameras = {f"{camera}{k}.mp4": (camera, action) for k, action in enumerate("xyxy") for camera in "abcd"}
    for name in cameras:
        (tmp_path / name).touch()
    lines = [f"{name},{action},{camera}" for name, (camera, action) in cameras.items()]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,group", *lines]))
    kept, held = split_off(ListFile(tmp_path / "list.csv"), 0.25, "group", 0)
    assert len(held) == 4
    assert len({video.group for video in held}) == 1
    assert not {video.group for video in held} & {video.group for video in kept}

"""The reader of golden items itself: numbers by formula, comparison, unknown items, and a folder from elsewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import golden_elsewhere
import golden_items
import golden_numbers
import numpy as np
import pytest
import test_golden_iic
from golden_later import LATER
from safetensors.numpy import load_file, save_file

LISTS = test_golden_iic.LISTS if test_golden_iic.LISTS.is_dir() else None


def test_numbers_by_the_formula_one_at_a_time():
    """splitmix64 in Python's whole numbers."""

    def number(name, seed, place):
        import zlib

        mask = 2**64 - 1
        x = (place * 0x9E3779B97F4A7C15 + zlib.crc32(f"{seed}:{name}".encode()) * 0xD1342543DE82EF95) & mask
        x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ x >> 27) * 0x94D049BB133111EB) & mask
        return ((x ^ x >> 31) >> 11) / 2**53

    want = [number("some.name", 17, place) for place in range(1, 25)]
    assert golden_numbers.unit_interval("some.name", 17, 24).tolist() == want
    got = golden_numbers.uniform("some.name", [2, 3, 4], 17, -2, 5, np.int64)
    assert got.reshape(-1).tolist() == [int(np.floor(-2 + 7 * u)) for u in want]
    assert np.linalg.norm(golden_numbers.unit_rows("q", [3, 8], 1), axis=-1) == pytest.approx(1)


def test_weights_go_by_the_last_word_and_the_rank():
    shapes = {"a.weight": [9, 2, 3], "b.weight": [99], "b.bias": [99], "b.running_mean": [99], "b.running_var": [99]}
    made = golden_numbers.weights(shapes | {"b.num_batches_tracked": [], "c.in_bias": [7, 6]}, 5)
    assert made["b.num_batches_tracked"].dtype == np.int64
    ranges = {"a.weight": 1, "b.bias": 0.1, "b.running_mean": 0.1, "c.in_bias": 1}
    for key, bound in ranges.items():
        assert 0.8 * bound < np.abs(made[key]).max() <= bound
    for key in ("b.weight", "b.running_var"):
        assert 0.5 <= made[key].min() < 0.6
        assert 1.4 < made[key].max() <= 1.5
    scaled = golden_numbers.weights(shapes, 5, 0.25)
    assert np.array_equal(scaled["a.weight"], made["a.weight"] / 4)


@pytest.fixture
def folder(tmp_path):
    golden_elsewhere.write(tmp_path / "golden", LISTS)
    return tmp_path / "golden"


def edit(folder, item, **changes):
    path = folder / "iic" / f"{item}.safetensors"
    save_file(load_file(path) | changes, path)


def failures(folder):
    """Name -> message of the items that fail."""
    failed = {}
    for item in golden_items.items("iic", folder):
        try:
            golden_items.run(item, test_golden_iic.CHECKS)
        except (AssertionError, pytest.fail.Exception) as error:
            failed[item.name] = str(error)
    return failed


@pytest.mark.parametrize("cut_above", [100, golden_elsewhere.LARGE, 10**9])
def test_checks_pass_on_a_folder_from_elsewhere_in_every_form_of_storage(tmp_path, cut_above):
    golden_elsewhere.write(tmp_path, LISTS, cut_above)
    assert failures(tmp_path) == {}


@pytest.mark.slow
def test_the_environment_variable_names_the_folder(folder):
    command = [sys.executable, "-m", "pytest", "-m", "golden", "-p", "no:cacheprovider", "-rA"]
    files = [str(Path(__file__).with_name(f"test_golden_{system}.py")) for system in ("iic", "tclr")]
    environment = os.environ | {"PRAXINO_GOLDEN": str(folder)}
    done = subprocess.run([*command, *files], env=environment, capture_output=True, text=True, check=False)
    ended = {test: how for how, test in re.findall(r"^(PASSED|FAILED) .*::test_item\[(.*?)\]", done.stdout, re.M)}
    names = [f"iic-{item.name}" for item in golden_items.items("iic", folder)]
    # A system whose folder is missing there is no reason to be silent.
    assert ended == dict.fromkeys(names, "PASSED") | {"tclr-absent": "FAILED"}, done.stdout


def test_a_wrong_number_fails_whatever_its_form(folder):
    heads = load_file(folder / "iic" / "residual_pretrain.safetensors")
    assert "out.residual.clip" in heads
    wrong = heads["out.residual.clip"].copy()
    wrong[0, 1, 4, 8, 10] += 1e-5
    edit(folder, "residual_pretrain", **{"out.residual.clip": wrong})
    y = load_file(folder / "iic" / "resize_small.safetensors")
    edit(folder, "resize_small", **{"out.y.abs_sum": np.array(y["out.y.abs_sum"] + 1)})
    edit(folder, "test_clip_starts", **{"out.s": np.zeros((5, 5), np.int64)})
    edit(folder, "lr_schedule_pretrain", **{"out.rates": np.zeros(31)})
    failed = failures(folder)
    assert set(failed) == {"residual_pretrain", "resize_small", "test_clip_starts", "lr_schedule_pretrain"}
    assert "1 of 990 differ" in failed["residual_pretrain"]
    assert "abs_sum is" in failed["resize_small"]


def test_an_item_without_a_check_fails_and_names_itself(folder):
    path = folder / "iic" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["items"] = [{"name": "brand_new", "scalars": {}}]
    path.write_text(json.dumps(manifest))
    assert failures(folder) == {"brand_new": "the golden item iic/brand_new has no check"}


def test_items_of_later_work_are_skipped_with_the_reason():
    item = golden_items.Item(Path(), "iic", {"name": "vcp_ops"})
    with pytest.raises(pytest.skip.Exception, match="waits for VCOP and VCP"):
        golden_items.run(item, {})


@pytest.mark.parametrize("system", ["iic", "tclr", "cyclecontrast", "cocon"])
def test_no_item_is_both_checked_and_left_for_later(system):
    checks = __import__(f"test_golden_{system}").CHECKS
    assert not set(checks) & set(LATER[system])


def test_comparison_takes_the_value_of_the_outputs_name_where_there_is_one(tmp_path):
    save_file({"out.a": np.array([1.0, np.nan]), "out.b": np.array(3)}, tmp_path / "x.safetensors")
    entry = {"name": "x", "outputs": ["a", "b"], "rtol": 0, "atol": 0}
    golden_items.Item(tmp_path, "iic", entry).compare(a=[1, np.nan], b=[3])
    golden_items.Item(tmp_path, "iic", entry).compare(other=[1, np.nan], wrong=[0, 0], b=3.0)
    for computed in ({"a": [1, 2], "other": [1, np.nan], "b": 3}, {"a": [1, np.nan]}, {"a": [1, np.nan], "c": 4}):
        with pytest.raises(AssertionError, match="iic/x: output"):
            golden_items.Item(tmp_path, "iic", entry).compare(**computed)

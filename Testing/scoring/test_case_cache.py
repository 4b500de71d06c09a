"""What is kept of a case, and when it holds no longer."""

import os
import pickle
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from BraTSRefineLib.cohort.case import Case, Problem
from BraTSRefineLib.cohort.workspace import WorkspaceError
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.scoring import case_cache as module
from BraTSRefineLib.scoring.case_cache import case_cache, case_signature
from BraTSRefineLib.scoring.case_scores import Settings

SETTINGS = Settings("brats2023", (1.0,), "numba", None, ("lesions",), "brats2023-gli")
CALIBRATED = replace(SETTINGS, measures=("calibration",))


@pytest.fixture
def a_case(tmp_path):
    def written(name):
        path = tmp_path / name
        path.write_bytes(name.encode())
        return path

    return Case(
        "A",
        reference=written("seg.nii.gz"),
        predictions={"unet": written("unet.nii.gz"), "nnunet": written("nnunet.nii.gz")},
        probabilities={"unet": written("unet.npz")},
        images={"t1n": written("t1n.nii.gz")},
        labels=label_convention("brats2023"),
    )


def touched(path):
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


def test_an_unchanged_case_has_the_same_signature_in_another_process(a_case):
    code = (
        "import sys, pickle\n"
        "from BraTSRefineLib.scoring.case_cache import case_signature\n"
        "print(case_signature(*pickle.loads(sys.stdin.buffer.read())))"
    )
    content = pickle.dumps((a_case, SETTINGS))
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert done.stdout.decode().strip() == case_signature(a_case, SETTINGS)


@pytest.mark.parametrize("which", ["reference", "prediction"])
def test_a_file_of_another_time_or_size_changes_it(a_case, which):
    before = case_signature(a_case, SETTINGS)
    path = a_case.reference if which == "reference" else a_case.predictions["unet"]
    touched(path)
    after = case_signature(a_case, SETTINGS)
    assert after != before
    state = path.stat()
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert case_signature(a_case, SETTINGS) != after


def test_a_file_that_is_gone_changes_it(a_case):
    before = case_signature(a_case, SETTINGS)
    a_case.predictions["unet"].unlink()
    assert case_signature(a_case, SETTINGS) != before


@pytest.mark.parametrize("file", ["unet.npz", "t1n.nii.gz"])
def test_probabilities_and_images_count_only_where_they_are_read(a_case, tmp_path, file):
    before = [case_signature(a_case, settings) for settings in (SETTINGS, CALIBRATED)]
    touched(tmp_path / file)
    after = [case_signature(a_case, settings) for settings in (SETTINGS, CALIBRATED)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False]


def test_what_says_the_channels_of_probabilities_counts_with_them(a_case, tmp_path):
    before = case_signature(a_case, CALIBRATED)
    (tmp_path / "dataset.json").write_text("{}", encoding="utf-8")
    assert case_signature(a_case, CALIBRATED) != before


@pytest.mark.parametrize(
    "changes",
    [
        {"convention": "nan"},
        {"tolerance_mm": (2.0,)},
        {"models": frozenset({"unet"})},
        {"measures": ()},
        {"lesion_preset": "brats2023-met"},
    ],
)
def test_other_settings_change_it(a_case, changes):
    assert case_signature(a_case, replace(SETTINGS, **changes)) != case_signature(a_case, SETTINGS)


def test_the_engine_does_not_for_all_engines_give_the_same_numbers(a_case):
    assert case_signature(a_case, replace(SETTINGS, engine="scipy")) == case_signature(a_case, SETTINGS)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": label_convention("brats2021")},
        {"labels": None},
        {"model_labels": {"unet": label_convention("brats2021")}},
        {"problems": (Problem("on another grid", "A", "unet"),)},
        {"reference": None},
        {"predictions": {}},
    ],
)
def test_other_labels_problems_or_files_change_it(a_case, changes):
    assert case_signature(replace(a_case, **changes), SETTINGS) != case_signature(a_case, SETTINGS)


def test_models_that_swap_their_files_change_it(a_case):
    swapped = dict(zip(a_case.predictions, reversed(a_case.predictions.values()), strict=True))
    assert case_signature(replace(a_case, predictions=swapped), SETTINGS) != case_signature(a_case, SETTINGS)


def test_another_version_of_the_results_changes_it(a_case, monkeypatch):
    before = case_signature(a_case, SETTINGS)
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert case_signature(a_case, SETTINGS) != before


CONTENT = {"rows": [["A", "unet", "WT", "dice", float("nan"), "ok", "brats2023"]], "Größe": float("inf")}


def test_content_is_kept_over_sessions_for_its_signature_alone(tmp_path):
    path = tmp_path / "sub folder" / "cache.sqlite"
    with case_cache(path) as cache:
        cache.put("A", "one", CONTENT)
    with case_cache(path) as cache:
        assert repr(cache.get("A", "one")) == repr(CONTENT)
        assert cache.get("A", "other") is None
        assert cache.get("B", "one") is None


def test_a_case_is_kept_once(tmp_path):
    path = tmp_path / "cache.sqlite"
    with case_cache(path) as cache:
        for signature in ("one", "two"):
            cache.put("A", signature, signature)
        assert cache.get("A", "one") is None
        assert cache.get("A", "two") == "two"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM cases").fetchone() == (1,)


def test_clear_forgets_everything(tmp_path):
    path = tmp_path / "cache.sqlite"
    with case_cache(path) as cache:
        cache.put("A", "one", 1)
        cache.clear()
    with case_cache(path) as cache:
        assert cache.get("A", "one") is None


CASES = [f"case {number}" for number in range(50)]
PAGE = 4096


@pytest.fixture(scope="module")
def a_full_cache(tmp_path_factory):
    """The bytes of a cache of fifty cases, each of some pages."""
    path = tmp_path_factory.mktemp("full") / "cache.sqlite"
    with case_cache(path) as cache:
        for number, case in enumerate(CASES):
            cache.put(case, "one", [random.Random(f"{number} {place}").random() for place in range(800)])
    return path.read_bytes()


def known_after(path, content):
    """How many of the fifty cases a cache of these bytes still knows; it takes in new ones all the same."""
    path.write_bytes(content)
    with case_cache(path) as cache:
        found = sum(cache.get(case, "one") is not None for case in CASES)
        cache.put("A", "two", 2)
    with case_cache(path) as cache:
        assert cache.get("A", "two") == 2
    return found


def test_a_whole_cache_knows_all(tmp_path, a_full_cache):
    assert known_after(tmp_path / "cache.sqlite", a_full_cache) == 50


@pytest.mark.parametrize("damage", ["no database", "empty", "half"])
def test_a_damaged_cache_is_made_anew(tmp_path, a_full_cache, damage):
    garbage = {"no database": b"PK" * 4096, "empty": b"", "half": a_full_cache[: len(a_full_cache) // 2]}
    assert known_after(tmp_path / "cache.sqlite", garbage[damage]) == 0


def test_no_single_damaged_page_stops_anything_or_gives_anything_wrong(tmp_path, a_full_cache):
    path = tmp_path / "cache.sqlite"
    for start in range(0, len(a_full_cache), 7 * PAGE):
        after = a_full_cache[start + PAGE :]
        assert known_after(path, a_full_cache[:start] + b"\xa5" * PAGE + after) < 50
    flipped = bytearray(a_full_cache)
    flipped[-PAGE // 2] ^= 1
    assert known_after(path, bytes(flipped)) >= 49


def test_a_database_of_another_kind_is_made_anew(tmp_path):
    path = tmp_path / "cache.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cases (id INTEGER)")
    assert known_after(path, path.read_bytes()) == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_what_was_kept_before_a_kill_is_there_after_it(tmp_path):
    path = tmp_path / "cache.sqlite"
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from BraTSRefineLib.scoring.case_cache import case_cache\n"
        "with case_cache(Path(sys.argv[1])) as cache:\n"
        "    for number in range(20): cache.put(str(number), 'one', number)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    with case_cache(path) as cache:
        assert [cache.get(str(number), "one") for number in range(20)] == list(range(20))


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / "cache.sqlite"
    path.mkdir()
    with (
        pytest.raises(WorkspaceError, match=r"cache\.sqlite: not written .*choose another --workspace"),
        case_cache(path),
    ):
        pass

"""Work on every case of a cohort: in this process, in others, or not at all where its result is known."""

from dataclasses import replace
from functools import partial
from operator import attrgetter

import pytest

from BraTSRefineLib.cohort.case import Case
from BraTSRefineLib.scoring import cohort_pass
from BraTSRefineLib.scoring.case_cache import case_cache
from BraTSRefineLib.scoring.cohort_pass import FILES_WORTH_A_PROCESS, Kept, results_of_cases, worthwhile_workers

NAME = attrgetter("reference.name")
"""The work: it can be sent to other processes, and fails on a case without a reference."""


@pytest.fixture
def cases(tmp_path):
    paths = [tmp_path / f"{name}.nii.gz" for name in "ABCDE"]
    for path in paths:
        path.write_bytes(b"voxels")
    return [Case(path.name[0], reference=path, predictions={"unet": path}) for path in paths]


@pytest.fixture
def names():
    return [f"{name}.nii.gz" for name in "ABCDE"]


def size(case):
    return str(case.reference.stat().st_size if case.reference else None)


@pytest.fixture
def kept(tmp_path):
    """Makes what a run keeps, all runs in one file."""
    with case_cache(tmp_path / "cache.sqlite") as cache:
        yield partial(Kept, cache, size, lambda result: {"name": result}, lambda content: content["name"])


def fail(case):
    raise AssertionError(f"{case.case} is done again")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_cases_and_an_exception_takes_its_place(cases, names, workers):
    cases[1] = replace(cases[1], reference=None)
    results = results_of_cases(NAME, cases, workers=workers)
    assert isinstance(results[1], AttributeError)
    assert results[:1] + results[2:] == names[:1] + names[2:]


def test_what_is_kept_is_not_done_again(cases, names, kept):
    first, again = kept(), kept()
    assert results_of_cases(NAME, cases, kept=first) == names
    assert results_of_cases(fail, cases, kept=again) == names
    assert (first.found, again.found) == (0, 5)


def test_only_what_changed_is_done_again(cases, kept):
    results_of_cases(NAME, cases, kept=kept())
    cases[3].reference.write_bytes(b"other voxels")
    done = []
    results_of_cases(lambda case: done.append(case.case), cases, kept=kept())
    assert done == ["D"]


def test_an_exception_is_not_kept(cases, kept):
    cases[1] = replace(cases[1], reference=None)
    results_of_cases(NAME, cases, kept=kept())
    done = []
    results_of_cases(lambda case: done.append(case.case), cases, kept=kept())
    assert done == ["B"]


def test_what_ended_before_a_run_was_stopped_is_known_to_the_next(cases, names, kept):
    def stop(done, total, case):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        results_of_cases(NAME, cases, workers=1, kept=kept(), progress=stop)
    again = kept()
    assert results_of_cases(NAME, cases, kept=again) == names
    assert again.found == 3


def test_a_file_that_changes_during_the_work_makes_its_result_no_lasting_one(cases, kept):
    def change(case):
        if case.case == "C":
            case.reference.write_bytes(b"written while it was read")
        return case.case

    results_of_cases(change, cases, workers=1, kept=kept())
    done = []
    results_of_cases(lambda case: done.append(case.case), cases, kept=kept())
    assert done == ["C"]


def test_progress_counts_the_known_cases_first_and_each_once(cases, kept):
    results_of_cases(NAME, cases[3:], kept=kept())
    seen = []
    results_of_cases(NAME, cases, workers=1, kept=kept(), progress=lambda *step: seen.append(step))
    assert seen == [(1, 5, "D"), (2, 5, "E"), (3, 5, "A"), (4, 5, "B"), (5, 5, "C")]


def test_preparation_comes_before_processes_and_not_without_them(cases, kept):
    prepared = []
    prepare = partial(prepared.append, "once")
    results_of_cases(NAME, cases, workers=1, prepare=prepare)
    assert prepared == []
    results_of_cases(NAME, cases, workers=2, kept=kept(), prepare=prepare)
    assert prepared == ["once"]
    results_of_cases(NAME, cases, workers=2, kept=kept(), prepare=prepare)
    assert prepared == ["once"]


def test_a_handful_of_files_is_worth_no_process(cases, monkeypatch):
    monkeypatch.setattr(cohort_pass, "default_workers", lambda: 4)
    pairs_for_two = FILES_WORTH_A_PROCESS
    assert worthwhile_workers([]) == 1
    assert worthwhile_workers(cases[:2]) == 1
    assert worthwhile_workers(cases[:1] * pairs_for_two) == 2
    assert worthwhile_workers(cases * 100) == 4


def test_a_missing_file_is_no_concern_of_reading_ahead(cases, names):
    for case in cases:
        case.reference.unlink()
    assert results_of_cases(NAME, cases, workers=1) == names


def test_no_case_is_no_result():
    assert results_of_cases(NAME, []) == []

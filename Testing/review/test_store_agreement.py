"""How far readers agree, where they differ, and what a third made of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from BraTSRefineLib.cohort import Case, Cohort, Geometry, write_volume
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.review import Event, correction_agreement, disagreements, newest_corrections, reader_agreement
from BraTSRefineLib.review.store_events import DECISIONS

GRID = Geometry((10, 10, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))


def read(who: str, decisions: list[str]) -> list[Event]:
    return [Event("decision", f"case-{i:03}", who, decision=decision) for i, decision in enumerate(decisions)]


def drawn(seed: int, of: tuple[str, ...], count: int = 60) -> list[str]:
    return list(np.random.default_rng(seed).choice(of, count))


@pytest.mark.parametrize("seed", range(3))
def test_kappa_is_scikit_learn_s(seed):
    one, other = drawn(seed, DECISIONS), drawn(seed + 100, DECISIONS)
    other[:30] = one[:30]
    (row,) = reader_agreement(read("Ann", one) + read("Ben", other)).to_dict("records")
    assert (row["reader_1"], row["reader_2"], row["of"], row["items"]) == ("Ann", "Ben", "cases", 60)
    assert row["kappa"] == pytest.approx(cohen_kappa_score(one, other))
    assert row["low"] < row["kappa"] < row["high"]
    ordinal = [pair for pair in zip(one, other, strict=True) if "bad image" not in pair]
    ranks = [[DECISIONS.index(decision) for decision in column] for column in zip(*ordinal, strict=True)]
    assert row["linear_kappa"] == pytest.approx(cohen_kappa_score(*ranks, weights="linear", labels=range(4)))


def test_only_what_both_read_counts_and_only_their_last_word():
    events = read("Ann", ["minor", "major", "accept"]) + read("Ben", ["accept", "major"]) + read("Ben", ["minor"])
    (row,) = reader_agreement(events).to_dict("records")
    assert (row["items"], row["agree"], row["kappa"]) == (2, 1.0, 1.0)


def test_kappa_of_one_decision_throughout_is_not_defined_and_that_is_said():
    (row,) = reader_agreement(read("Ann", ["minor"] * 5) + read("Ben", ["minor"] * 5)).to_dict("records")
    assert row["agree"] == 1.0
    assert np.isnan(row["kappa"])
    assert "not defined" in row["status"]


def test_flags_and_cases_are_counted_apart_and_every_pair_has_its_row():
    events = read("Ann", ["minor", "major"]) + read("Ben", ["minor", "major"]) + read("Cleo", ["minor", "accept"])
    events += [Event("flag decision", "case-000", who, decision="accept", flag="ET-1") for who in ("Ann", "Ben")]
    table = reader_agreement(events)
    assert list(zip(table["of"], table["reader_1"], table["reader_2"], strict=True)) == [
        ("cases", "Ann", "Ben"),
        ("cases", "Ann", "Cleo"),
        ("cases", "Ben", "Cleo"),
        ("flags", "Ann", "Ben"),
    ]


def test_no_second_reader_gives_an_empty_table_with_headings():
    assert reader_agreement(read("Ann", ["minor"])).empty
    assert "kappa" in reader_agreement([])
    assert list(disagreements([]).columns)[:3] == ["case", "model", "flag"]


def test_disagreements_name_who_said_what_and_what_a_third_made_of_it():
    events = read("Ann", ["minor", "major", "accept"]) + read("Ben", ["accept", "minor", "accept"])
    events.append(Event("adjudication", "case-000", "Cleo", decision="minor", note="small"))
    table = disagreements(events).to_dict("records")
    assert [(row["case"], row["adjudicated"], row["adjudicator"]) for row in table] == [
        ("case-001", "", ""),
        ("case-000", "minor", "Cleo"),
    ]
    assert table[0]["decisions"] == {"Ann": "major", "Ben": "minor"}
    assert table[1]["note"] == "small"


def test_the_newest_adjudication_counts_whoever_had_the_first_word():
    events = read("Ann", ["minor"]) + read("Ben", ["accept"])
    for who, taken in (("Cleo", "major"), ("Dan", "minor"), ("Cleo", "accept")):
        events.append(Event("adjudication", "case-000", who, decision=taken))
    (row,) = disagreements(events).to_dict("records")
    assert (row["adjudicated"], row["adjudicator"]) == ("accept", "Cleo")


def test_an_undone_decision_is_no_disagreement():
    events = read("Ann", ["minor"]) + read("Ben", ["accept"])
    events.append(Event("undo", "case-000", "Ben", refers=events[-1].uid))
    assert disagreements(events).empty


def correction(workspace: Path, who: str, name: str, labels: np.ndarray) -> Event:
    (workspace / "corrections").mkdir(exist_ok=True)
    write_volume(workspace / "corrections" / name, labels, GRID)
    return Event("correction", "case-1", who, payload={"file": f"corrections/{name}"})


@pytest.fixture
def cohort(tmp_path) -> Cohort:
    return Cohort(tmp_path, "nnU-Net", (Case("case-1", labels=label_convention("brats2023")),))


@pytest.fixture
def labels() -> np.ndarray:
    found = np.zeros((10, 10, 10), np.uint8)
    found[2:6, 2:6, 2:6] = 2
    return found


def test_dice_between_two_readers_corrections_by_region(tmp_path, cohort, labels):
    other = labels.copy()
    other[4:6] = 0
    other[0, 0, 0] = 3
    events = [
        correction(tmp_path, "Ann", "old.nii.gz", other),
        correction(tmp_path, "Ann", "a.nii.gz", labels),
        correction(tmp_path, "Ben", "b.nii.gz", other),
    ]
    dice = correction_agreement(events, cohort, tmp_path).set_index("region")
    assert dice.loc["WT", "dice"] == pytest.approx(2 * 32 / (64 + 33))
    assert dice.loc["ET", "dice"] == 0
    assert (dice["reader_1"] == "Ann").all() and (dice["reader_2"] == "Ben").all()


def test_two_empty_regions_agree(tmp_path, cohort, labels):
    events = [correction(tmp_path, who, f"{who}.nii.gz", labels) for who in ("Ann", "Ben")]
    dice = correction_agreement(events, cohort, tmp_path).set_index("region")
    assert tuple(dice.loc["ET", ["dice", "status"]]) == (1.0, "both empty")


def test_a_correction_that_is_missing_or_lies_elsewhere_is_told(tmp_path, cohort, labels):
    first = correction(tmp_path, "Ann", "a.nii.gz", labels)
    for file, why in (("corrections/gone.nii.gz", "gone.nii.gz"), ("../../secret.nii.gz", "outside of the workspace")):
        other = Event("correction", "case-1", "Ben", payload={"file": file})
        (row,) = correction_agreement([first, other], cohort, tmp_path).to_dict("records")
        assert np.isnan(row["dice"])
        assert why in row["status"]


def test_a_case_that_the_cohort_no_longer_has_is_told(tmp_path, labels):
    events = [correction(tmp_path, who, f"{who}.nii.gz", labels) for who in ("Ann", "Ben")]
    (row,) = correction_agreement(events, Cohort(tmp_path, "nnU-Net", ()), tmp_path).to_dict("records")
    assert "no such case" in row["status"]


def test_one_reader_s_versions_are_no_pair(tmp_path, labels):
    events = [correction(tmp_path, "Ann", f"v{number}.nii.gz", labels) for number in (1, 2)]
    assert newest_corrections(events) == {}

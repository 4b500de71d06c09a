"""The queue: what comes first, what is done, what a blind reader does not see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.cohort import Case, Cohort
from BraTSRefineLib.review import Event, ReviewError, Wish, read_quality, worklist
from BraTSRefineLib.review.store_state import states

COHORT = Cohort(Path("data"), "nnU-Net", tuple(Case(name, center=name[0]) for name in ("A1", "A2", "B1", "B2")))
FLAGS = pd.DataFrame(
    [
        ("A2", "WT", "disagreement", 4.0, 0.125),
        ("A2", "ET", "disagreement", 1.0, 0.25),
        ("B1", "WT", "error_risk", 10.0, 0.9),
    ],
    columns=["case", "region", "quantity", "volume_ml", "mean"],
)
QUALITY = pd.DataFrame(
    [("A1", "WT", 0.9), ("A1", "ET", 0.3), ("B2", "WT", 0.5), ("B2", "ET", 0.8), ("B1", "ET", np.nan)],
    columns=["case", "region", "predicted"],
)


def cases(found) -> list[str]:
    return found.table["case"].tolist()


def test_priority_is_flagged_volume_times_uncertainty_as_a_share_of_its_highest():
    found = worklist(COHORT, {}, FLAGS)
    assert cases(found) == ["B1", "A2", "A1", "B2"]
    assert found.table["priority"].tolist() == pytest.approx([9.0, 4 * 0.5 + 1 * 1.0, 0, 0])
    assert found.table["flags"].tolist() == [1, 2, 0, 0]
    assert found.table["why"].tolist() == ["1 flags, 10 ml", "2 flags, 5 ml", "no flag", "no flag"]
    assert found.table["place"].tolist() == [1, 2, 3, 4]


def test_flags_of_two_sources_are_of_the_same_places_so_that_only_the_graver_count():
    own = FLAGS.iloc[[1]].assign(model="3d", volume_ml=20.0)
    found = worklist(COHORT, {}, pd.concat([FLAGS.assign(model=""), own])).table.set_index("case")
    assert found.loc["A2", ["flags", "priority", "why"]].tolist() == [1, 20.0, "1 flags, 20 ml of 3d"]
    assert found.loc["B1", "why"] == "1 flags, 10 ml"


def test_without_flags_the_lowest_predicted_dice_comes_first_and_the_unknown_last():
    found = worklist(COHORT, {}, None, QUALITY)
    assert cases(found) == ["A1", "B2", "A2", "B1"]
    assert found.table["why"].tolist() == ["predicted Dice 0.30 in ET", "predicted Dice 0.50 in WT", "", ""]


def test_with_nothing_known_the_cohort_s_order_stays():
    assert cases(worklist(COHORT, {})) == ["A1", "A2", "B1", "B2"]


def test_with_flags_the_predicted_dice_is_told_beside_them():
    found = worklist(COHORT, {}, FLAGS, QUALITY).table.set_index("case")
    assert found.loc["A1", "predicted_dice"] == 0.3
    assert np.isnan(found.loc["B1", "predicted_dice"])


@pytest.fixture
def decided():
    return states(
        [
            Event("decision", "A2", "Ann", decision="minor"),
            Event("decision", "A1", "Ann", decision="minor"),
            Event("second reader", "A1", "Ann"),
            Event("flag decision", "B1", "Ann", decision="accept", flag="WT-1"),
            Event("decision", "gone", "Ann", decision="minor"),
        ]
    )


def test_states_and_progress_come_from_the_records(decided):
    found = worklist(COHORT, decided, FLAGS)
    table = found.table.set_index("case")
    assert table["state"].to_dict() == {"B1": "open", "A2": "decided", "A1": "second reader", "B2": "open"}
    assert (table.loc["B1", "flags_decided"], table.loc["A2", "decision"], table.loc["A2", "who"]) == (
        1,
        "minor",
        "Ann",
    )
    assert (found.progress, found.gone) == ("1 of 4", ("gone",))


def test_filters_keep_the_order_and_count_all(decided):
    assert cases(worklist(COHORT, decided, FLAGS, wish=Wish(states=("open", "decided")))) == ["B1", "A2", "B2"]
    assert cases(worklist(COHORT, decided, FLAGS, wish=Wish(centers=("A",)))) == ["A2", "A1"]
    by_region = worklist(COHORT, decided, FLAGS, wish=Wish(region="ET"))
    assert (cases(by_region), by_region.table["flags"].tolist(), by_region.progress) == (["A2"], [1], "1 of 4")
    assert cases(worklist(COHORT, decided, None, QUALITY, Wish(region="WT"))) == ["B2", "A1"]
    assert cases(worklist(COHORT, decided, FLAGS, wish=Wish(states=("disagreement",)))) == []


def test_a_random_order_is_fixed_by_its_seed_and_survives_a_shrunken_cohort():
    many = Cohort(Path("data"), "nnU-Net", tuple(Case(f"case-{number:02}") for number in range(30)))
    fewer = Cohort(Path("data"), "nnU-Net", many.cases[::2])
    one, again, other = (cases(worklist(many, {}, wish=Wish("random", seed=seed))) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert sorted(one) == sorted(case.case for case in many.cases) != one
    kept = {case.case for case in fewer.cases}
    assert cases(worklist(fewer, {}, wish=Wish("random", seed=1))) == [case for case in one if case in kept]


def test_a_blind_reader_sees_no_figure_and_has_an_order_of_their_own():
    many = Cohort(Path("data"), "nnU-Net", tuple(Case(f"case-{number:02}") for number in range(30)))
    ann, ben = (worklist(many, {}, FLAGS, wish=Wish("blind"), who=who) for who in ("Ann", "Ben"))
    assert list(ann.table.columns) == ["place", "case", "state", "decision", "when"]
    assert cases(ann) != cases(ben)


def test_what_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(ReviewError, match="no order 'best'"):
        worklist(COHORT, {}, wish=Wish("best"))
    with pytest.raises(ReviewError, match="name the reader"):
        worklist(COHORT, {}, wish=Wish("blind"))
    (tmp_path / "quality.csv").write_text("case,dice\n")
    with pytest.raises(ReviewError, match="no column region, predicted"):
        read_quality(tmp_path / "quality.csv")
    (tmp_path / "quality.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ReviewError, match=r"quality\.csv: not readable .* evaluate' again"):
        read_quality(tmp_path / "quality.csv")

"""Flags that are cut at a calibrated risk: what members say, how often it was wrong, and where the cut lies."""

from __future__ import annotations

import numpy as np
import pytest

from BraTSRefineLib.review import (
    ReviewError,
    Tally,
    fit_risk,
    heaviest_disagreement,
    level_evidence,
    read_risks,
    vote_evidence,
    worth,
    write_risks,
)
from BraTSRefineLib.review.flag_risk import cell_risks, coverage_precision

SHAPE, SPACING = (24, 24, 40), (1.0, 1.0, 1.0)
MEMBERS = ("careful", "steady", "flooding")


def box(*sides: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(*side) for side in sides)] = True
    return mask


def case(seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Three members, the fused mask and the truth: one member floods, and what the careful one alone sees is true."""
    shift = seed % 3
    truth = box((6, 16), (6, 16), (4 + shift, 20 + shift))
    seen = box((6, 16), (6, 16), (4 + shift, 14 + shift))
    flood = box((2, 22), (2, 22), (22 + shift, 37))
    masks = [truth, seen, seen | flood]
    return masks, np.sum(masks, axis=0) > 1, truth


@pytest.fixture
def cases() -> list[tuple]:
    return [case(seed) for seed in range(4)]


def tally(one: tuple) -> Tally:
    masks, fused, truth = one
    return Tally.of(vote_evidence(masks, MEMBERS, fused, SPACING), fused ^ truth)


def test_the_table_learns_whose_lone_vote_is_right(cases):
    table = fit_risk([tally(one) for one in cases[:3]])
    masks, fused, _ = cases[3]
    risk = table.risk(vote_evidence(masks, MEMBERS, fused, SPACING))
    assert risk[masks[0] & ~fused].min() > 0.5
    assert risk[masks[2] & ~fused].max() < 0.1


def test_calibrated_flags_hold_the_errors_at_a_precision_that_disagreement_lacks(cases):
    table = fit_risk([tally(one) for one in cases[:3]])
    masks, fused, truth = cases[3]
    risk = table.risk(vote_evidence(masks, MEMBERS, fused, SPACING))
    ours = worth((risk >= table.threshold).astype(np.int32), fused ^ truth, 0.001)
    plain = worth(heaviest_disagreement(np.mean(masks, axis=0)), fused ^ truth, 0.001)
    assert (ours.coverage, plain.coverage) == (1, 1)
    assert ours.precision > 0.9 > 0.2 > plain.precision


def test_every_case_weighs_the_same_however_large(cases):
    small = tally(cases[0])
    large = Tally(small.kind, 1000 * small.voxels, 0 * small.errors, 0, small.parents)
    cell = small.errors.argmax()
    assert cell_risks([small, large])[cell] == pytest.approx(0.5 * cell_risks([small])[cell], abs=0.05)


def test_a_cell_without_voxels_leans_on_the_same_number_of_votes():
    parents = np.array([0, 1, 1])
    seen = Tally("kind", np.array([1e4, 1e4, 0.0]), np.array([0.0, 9e3, 0.0]), 9000, parents)
    assert cell_risks([seen])[2] == pytest.approx(0.9, abs=0.01)


def test_the_threshold_is_the_lowest_that_unseen_cases_agree_to():
    parents = np.arange(3)
    tallies = [Tally("kind", np.array([1e4, 1e3, 1e3]), np.array([0, 400.0, 900.0]), 1300, parents) for _ in range(3)]
    table = fit_risk(tallies, precision=0.6)
    assert table.precision == pytest.approx(0.65)
    assert table.coverage == 1
    strict = fit_risk(tallies, precision=0.8)
    assert (strict.precision, strict.coverage) == pytest.approx((0.9, 900 / 1300))


def test_the_curve_is_judged_on_the_case_that_was_left_out():
    parents = np.arange(2)
    right = Tally("kind", np.array([1e3, 1e3]), np.array([0.0, 1e3]), 1000, parents)
    contrary = Tally("kind", np.array([1e3, 1e3]), np.array([1e3, 0.0]), 1000, parents)
    curve = coverage_precision([right, contrary]).set_index("threshold")
    assert curve.loc[0.5, "precision"] == 0


def test_one_case_is_no_calibration(cases):
    with pytest.raises(ReviewError, match="at least two cases"):
        fit_risk([tally(cases[0])])


def test_tallies_of_other_members_do_not_mix(cases):
    masks, fused, truth = cases[1]
    other = Tally.of(vote_evidence(masks, ("a", "b", "c"), fused, SPACING), fused ^ truth)
    with pytest.raises(ReviewError, match="different evidence"):
        fit_risk([tally(cases[0]), other])


def test_a_table_refuses_evidence_of_other_members(cases):
    table = fit_risk([tally(one) for one in cases])
    masks, fused, _ = cases[0]
    with pytest.raises(ReviewError, match="evaluate again"):
        table.risk(vote_evidence(masks, ("a", "b", "c"), fused, SPACING))


def test_more_than_six_members_share_a_table_by_their_votes(cases):
    masks, fused, _ = cases[0]
    many = [*masks, *masks, *masks]
    evidence = vote_evidence(many, [f"fold {n}" for n in range(9)], fused, SPACING)
    assert evidence.kind == "share of the votes"


def test_an_uncertainty_map_is_evidence_too(cases):
    _, fused, truth = cases[0]
    wrong = fused ^ truth
    evidence = [level_evidence(0.6 * wrong, fused, SPACING, highest=0.7, source="entropy of tta")] * 2
    table = fit_risk([Tally.of(each, wrong) for each in evidence])
    assert table.risk(evidence[0])[wrong].min() > 0.5


def test_a_case_in_which_nobody_sees_anything_has_no_risk(cases):
    table = fit_risk([tally(one) for one in cases])
    nothing = np.zeros(SHAPE, bool)
    assert not table.risk(vote_evidence([nothing] * 3, MEMBERS, nothing, SPACING)).any()


def test_cases_that_were_never_wrong_flag_nothing():
    seen = Tally("kind", np.array([1e4, 1e3]), np.zeros(2), 0, np.arange(2))
    table = fit_risk([seen, seen])
    assert np.isnan(table.precision)
    assert max(table.risks) < table.threshold


def test_tables_survive_the_file(tmp_path, cases):
    tables = {"WT": fit_risk([tally(one) for one in cases])}
    write_risks(tables, tmp_path / "risks.json")
    assert read_risks(tmp_path / "risks.json") == tables
    assert read_risks(tmp_path / "none.json") == {}


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "risks.json").write_text('{"WT": {"kind": "x"}}')
    with pytest.raises(ReviewError, match=r"risks\.json: no calibration"):
        read_risks(tmp_path / "risks.json")


def test_the_worth_of_flags_is_coverage_precision_and_rank():
    labels, wrong = np.zeros((1, 1, 12), np.int32), np.zeros((1, 1, 12), bool)
    labels[..., 0:3], labels[..., 4:6], labels[..., 7:8] = 1, 2, 3
    wrong[..., 0:3] = wrong[..., 5:6] = wrong[..., 10:12] = True
    found = worth(labels, wrong, 0.001)
    assert (found.coverage, found.precision, found.flags) == (4 / 6, 4 / 6, 3)
    assert (found.flagged_ml, found.error_ml) == pytest.approx((0.006, 0.006))
    assert found.rank_correlation == pytest.approx(1)


def test_nothing_flagged_has_no_precision_and_nothing_wrong_no_coverage():
    nothing = np.zeros((2, 2, 2), np.int32)
    found = worth(nothing, nothing.astype(bool), 0.001)
    assert np.isnan([found.coverage, found.precision, found.rank_correlation]).all()

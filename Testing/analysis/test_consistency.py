"""Which numbers may stand beside each other."""

from __future__ import annotations

import pytest

from BraTSRefineLib.analysis import AnalysisError
from BraTSRefineLib.analysis.consistency import (
    check_one_convention,
    check_same_convention,
    check_unique,
    scoring_conventions,
)
from BraTSRefineLib.scoring import CONSENSUS


def test_metrics_may_have_conventions_of_their_own(make):
    scores = make.table(make.rows("x", "a", "WT", dice=1.0), make.rows("x", "a", "WT", "nnunet", lesionwise_dice=1.0))
    check_one_convention(scores)
    check_same_convention(scores, scores)
    assert scoring_conventions(scores) == {"dice": ["brats2023"], "lesionwise_dice": ["nnunet"]}


def test_one_metric_may_not(make):
    scores = make.table(make.rows("x", "a", "WT", dice=1.0), make.rows("y", "a", "WT", "nan", dice=1.0))
    with pytest.raises(AnalysisError, match="dice: the scores mix the conventions brats2023 and nan"):
        check_one_convention(scores)


def test_a_consensus_is_no_other_convention(make):
    consensus = make.rows("y", "a", "WT", f"brats2023{CONSENSUS}", dice=1.0)
    scores = make.table(make.rows("x", "a", "WT", dice=1.0), consensus)
    check_one_convention(scores)
    assert scoring_conventions(scores) == {"dice": ["brats2023"]}


def test_rows_that_say_why_nothing_was_scored_are_not_compared(make):
    scores = make.table(make.failure("x", "a", "truncated"), make.failure("x", "a", "truncated"))
    check_unique(scores)
    scores = scores.assign(convention=["nan", "brats2023"])
    check_one_convention(scores)
    assert scoring_conventions(scores) == {}

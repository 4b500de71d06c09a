"""What every metric's number means: its direction, its name, its unit."""

from __future__ import annotations

import pandas as pd
import pytest

from BraTSRefineLib.analysis.metrics import AnalysisError, badness, higher_is_better, is_share, metric_name, metric_unit

BETTER_HIGH = [
    "dice",
    "jaccard",
    "nsd_1mm",
    "nsd_0.5mm",
    "boundary_iou",
    "sensitivity",
    "specificity",
    "precision",
    "lesionwise_dice",
    "lesionwise_nsd_1mm",
    "lesion_true_positives",
    "lesion_f1",
    "panoptic_quality",
    "segmentation_quality",
    "recognition_quality",
    "qu_brats",
    "qu_brats_dice_auc",
]
BETTER_LOW = [
    "hd_mm",
    "hd95_mm",
    "assd_mm",
    "masd_mm",
    "volume_error_ml",
    "relative_volume_error",
    "centroid_distance_mm",
    "lesionwise_hd95_mm",
    "lesion_false_positives",
    "lesion_false_negatives",
    "betti0_error",
    "betti1_error",
    "betti2_error",
    "euler_error",
    "ece_brain",
    "brier_brain",
    "nll_brain",
    "ece_band",
    "brier_band",
    "nll_band",
    "cavity_volume_error_ml",
    "qu_brats_ftp_auc",
    "qu_brats_ftn_auc",
]


@pytest.mark.parametrize("metric", BETTER_HIGH)
def test_more_is_better(metric):
    assert higher_is_better(metric)
    assert badness(pd.Series([0.2, 0.9]), metric).idxmax() == 0


@pytest.mark.parametrize("metric", BETTER_LOW)
def test_less_is_better(metric):
    assert not higher_is_better(metric)
    assert not is_share(metric)
    assert badness(pd.Series([0.2, 0.9]), metric).idxmax() == 1


@pytest.mark.parametrize("metric", ["volume_reference_ml", "volume_prediction_ml"])
def test_a_size_is_neither_good_nor_bad(metric):
    with pytest.raises(AnalysisError, match="dice"):
        higher_is_better(metric)


@pytest.mark.parametrize("metric", ["volume_error_ml", "relative_volume_error", "betti0_error", "euler_error"])
def test_too_much_is_as_bad_as_too_little(metric):
    assert badness(pd.Series([-3.0, 3.0, 1.0]), metric).tolist() == [3, 3, 1]


def test_a_count_is_no_share():
    assert is_share("dice")
    assert not is_share("lesion_true_positives")


@pytest.mark.parametrize("metric", [*BETTER_HIGH, *BETTER_LOW])
def test_every_metric_has_a_name_in_words(metric):
    assert "_" not in metric_name(metric)


def test_names_and_units():
    assert metric_name("lesionwise_nsd_0.5mm") == "lesion-wise surface Dice at 0.5 mm"
    assert [metric_unit(name) for name in ("hd_mm", "volume_error_ml", "dice")] == ["mm", "ml", ""]

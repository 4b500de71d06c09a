"""Real predictions against their references, and real models against each other: the numbers of the peers to 1e-6.

Masks are cut to the box of both and a margin, which changes no number but specificity, so that the slow peers take
seconds; one pair is compared as a whole image.
"""

import warnings

import numpy as np
import peers
import pytest

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.regions import REGIONS, label_convention
from BraTSRefineLib.scoring import METRICS, compare_masks, instance_scores, score_pair
from BraTSRefineLib.scoring.mask_pair import box_around

UNIT = (1.0, 1.0, 1.0)
MARGIN = 2
OLD, NEW = label_convention("brats2021"), label_convention("brats2023")
MODELS = ("hnfnetv1-20", "isen-20", "sanet0-20", "scan-20", "yixinmpl-20")
PAIRS = {
    "a flood": ("brats2020", "BraTS20_Training_008", "waveloss_no_attention", OLD, ("ET",)),
    "a shift": ("brats2020", "BraTS20_Training_001", "brainlesion_brats", NEW, REGIONS),
    "segresnet": ("brats2023-regions-derived", "SegResNet_sample_1", "segresnet", NEW, REGIONS),
    "two models": ("tcga-lgg", "TCGA-FG-6692", MODELS[:2], OLD, REGIONS),
    "two models, almost no ET": ("tcga-lgg", "TCGA-DU-7294", MODELS[3:], OLD, REGIONS),
}
"""Data set, case, one model or two, the labels of the prediction, and the regions."""


@pytest.fixture(scope="module", params=PAIRS)
def pair(request, real_data):
    """(reference, prediction) by region, boolean, as whole images."""
    data_set, case, models, labels, regions = PAIRS[request.param]
    folder = real_data / data_set
    if isinstance(models, str):
        [reference] = (folder / "cases" / case).glob("*seg.nii.gz")
        models, truth = (models,), read_label_map(reference)
    maps = [read_label_map(folder / "predictions" / model / f"{case}.nii.gz") for model in models]
    truth, prediction = maps if len(maps) == 2 else (truth, *maps)
    reference_labels = OLD if data_set in ("brats2020", "tcga-lgg") else NEW
    return {region: (reference_labels.mask(truth, region), labels.mask(prediction, region)) for region in regions}


def cut(masks):
    box = box_around(*(mask.view(np.uint8) for mask in masks), MARGIN)
    return [np.ascontiguousarray(mask[box]) for mask in masks]


def differing(masks, convention, theirs, spacing=UNIT, tolerance=1e-6, leave_out=()):
    """By metric our score and theirs, a function of a pair, where they are not the same."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = theirs(*masks, spacing)
    ours = compare_masks(*masks, spacing, convention=convention)
    pairs = {metric: (ours[metric], float(expected[metric])) for metric in expected.keys() - set(leave_out)}
    return {metric: pair for metric, pair in pairs.items() if not peers.close(pair[0].value, pair[1], tolerance)}


def test_surface_distance(pair, surface_distance):
    for masks in pair.values():
        assert not differing(cut(masks), "deepmind", surface_distance.scores, tolerance=1e-9)


def test_monai(pair):
    for masks in pair.values():
        assert not differing(cut(masks), "monai", peers.monai)


def test_medpy(pair):
    for masks in pair.values():
        assert not differing(cut(masks), "medpy", peers.medpy)


def test_panoptica(pair):
    for masks in pair.values():
        assert not differing(cut(masks), "panoptica", peers.panoptica)


def test_surface_dice_of_brats_2024(pair):
    for masks in pair.values():
        assert not differing(cut(masks), "brats2024-gli", peers.surface_dice_of_brats_2024)


def test_simpleitk(pair):
    for masks in pair.values():
        if all(mask.any() for mask in masks):
            assert not differing(cut(masks), "medpy", peers.simpleitk, leave_out=("hd_mm",))


def test_nnunet(pair):
    for masks in pair.values():
        assert not differing(masks, "nnunet", peers.nnunet)


def test_thick_slices(pair, surface_distance):
    """Every third slice, on the grid that this leaves."""
    thick = [mask[::3] for mask in cut(pair["ET"])]
    spacing = (3.0, 0.9, 0.9)
    assert not differing(thick, "deepmind", surface_distance.scores, spacing, 1e-9)
    assert not differing(thick, "medpy", peers.medpy, spacing)
    assert not differing(thick, "monai", peers.monai, spacing, leave_out=("nsd_1mm",))


def test_the_whole_image_gives_the_numbers_of_the_cut(pair):
    for masks in pair.values():
        whole, part = (compare_masks(*some, UNIT, convention="deepmind") for some in (masks, cut(masks)))
        for metric in METRICS:
            assert metric == "specificity" or whole[metric] == pytest.approx(part[metric], nan_ok=True), metric


def test_label_maps_give_the_numbers_of_their_masks(pair):
    """All regions of a label map are measured in one pass."""
    masks = {region: pair.get(region, pair["ET"]) for region in REGIONS}
    stacks = [OLD.paint(np.stack([masks[region][side] for region in REGIONS])) for side in (0, 1)]
    scores = score_pair(*stacks, UNIT, labels="brats2021").set_index(["region", "metric"])["value"]
    for region in REGIONS:
        of_region = (OLD.mask(stack, region) for stack in stacks)
        for metric, (value, _) in compare_masks(*of_region, UNIT).items():
            assert scores[region, metric] == pytest.approx(value, rel=0, abs=1e-9, nan_ok=True)


def test_peers_on_a_whole_image(real_data, surface_distance):
    folder = real_data / "tcga-lgg" / "predictions"
    masks = [OLD.mask(read_label_map(folder / model / "TCGA-FG-6692.nii.gz"), "TC") for model in MODELS[:2]]
    assert not differing(masks, "deepmind", surface_distance.scores, tolerance=1e-9)
    assert not differing(masks, "monai", peers.monai)


def test_instances_on_a_flood_are_those_of_panoptica(real_data):
    panoptica = pytest.importorskip("panoptica")
    folder, case = real_data / "brats2020", "BraTS20_Training_008"
    reference = OLD.mask(read_label_map(folder / "cases" / case / f"{case}_seg.nii.gz"), "ET")
    prediction = OLD.mask(read_label_map(folder / "predictions" / "waveloss_no_attention" / f"{case}.nii.gz"), "ET")
    masks = cut((reference, prediction))
    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.SEMANTIC,
        instance_approximator=panoptica.ConnectedComponentsInstanceApproximator(),
        instance_matcher=panoptica.NaiveThresholdMatching(matching_threshold=0.5),
        verbose=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        [theirs] = evaluator.evaluate(*(mask.astype(np.uint8) for mask in reversed(masks))).values()
    ours = instance_scores(*masks, UNIT)
    assert (ours.true_positives, ours.false_positives, ours.false_negatives) == (theirs.tp, theirs.fp, theirs.fn)
    assert peers.close(ours.rq, theirs.rq)

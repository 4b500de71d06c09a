from operator import attrgetter

import lesion_rules_by_hand as by_hand
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from BraTSRefineLib.cohort.volumes import read_label_map
from BraTSRefineLib.scoring import ScoringError, lesionwise_tissues

ENGINES = ("numba", "scipy")
OFFICIAL_TABLES = {
    "brats2024-gli": ["WT", "TC", "NETC", "SNFH", "ET", "RC"],
    "brats2024-met": ["WT", "TC", "ET", "RC"],
    "brats2024-ped": ["WT", "TC", "ET", "NETC", "CC", "ED"],
    "brats2024-ssa": ["WT", "TC", "ET"],
    "brats2024-men-rt": ["GTV"],
}
HIGHEST_LABEL = {"brats2024-ssa": 3, "brats2024-men-rt": 1}
GIVEN = settings(max_examples=30, deadline=None)
UNIT = (1.0, 1.0, 1.0)
NETC, SNFH, ET, RC = 1, 2, 3, 4


def scored(reference, prediction, preset="brats2024-gli", spacing=UNIT, **options):
    return lesionwise_tissues(reference, prediction, spacing, preset=preset, **options)


counts = attrgetter(*by_hand.COUNTS)


@pytest.fixture
def space():
    return np.zeros((40, 42, 44), np.uint8)


@pytest.fixture
def two_lesions(space):
    """Two lesions of enhancing tumour, 27 and 125 mm³ at 1 mm, in one necrotic core that touches both."""
    labels = space.copy()
    labels[10:20, 10:20, 10:25] = NETC
    labels[10:13, 10:13, 25:28] = ET
    labels[10:15, 10:15, 5:10] = ET
    return labels


@pytest.mark.parametrize(("preset", "regions"), OFFICIAL_TABLES.items())
def test_the_regions_are_those_of_the_official_table(space, preset, regions):
    scores = scored(space, space, preset)
    assert list(scores) == regions
    for of_region in scores.values():
        assert (of_region.dice, of_region.hd95_mm, of_region.nsd) == (1, 0, {0.5: 1, 1.0: 1})
        assert counts(of_region) == (0, 0, 0)


@pytest.mark.parametrize(
    ("preset", "penalty"),
    [("gli", 337), ("met", 5300**0.5), ("ped", 374), ("ssa", 374), ("men-rt", 5300**0.5)],
)
def test_a_missed_lesion_costs_the_penalty_of_its_challenge(space, preset, penalty):
    reference = space.copy()
    reference[10:18, 10:18, 10:18] = 1
    [first, *_] = scored(reference, space, f"brats2024-{preset}").values()
    assert first.hd95_mm == pytest.approx(penalty)
    assert (first.dice, first.nsd, counts(first)) == (0, {0.5: 0, 1.0: 0}, (0, 0, 1))


def test_small_predicted_lesions_are_dropped_not_counted_as_invented(space, two_lesions):
    prediction = two_lesions.copy()
    prediction[30:32, 30:32, 30:35] = SNFH
    assert scored(two_lesions, prediction)["SNFH"].false_positives == 0
    prediction[32, 30, 30] = SNFH
    assert scored(two_lesions, prediction)["SNFH"].false_positives == 1


def test_the_threshold_of_enhancing_tumour_is_half_of_the_others(space):
    labels = space.copy()
    labels[10:13, 10:12, 10:12] = ET
    scores = scored(labels, labels)
    assert counts(scores["ET"]) == (1, 0, 0)
    assert counts(scores["TC"]) == (0, 0, 0)


def test_predicted_components_are_joined_by_dilation_too(space, two_lesions):
    prediction = space.copy()
    prediction[30:33, 30:33, 30:33] = prediction[30:33, 30:33, 38:41] = SNFH
    assert scored(space, prediction)["SNFH"].false_positives == 1


def test_lesions_that_touch_one_lesion_of_another_tissue_are_one(two_lesions):
    apart = two_lesions.copy()
    apart[apart == NETC] = SNFH
    assert counts(scored(apart, apart)["ET"]) == (2, 0, 0)
    assert counts(scored(two_lesions, two_lesions)["ET"]) == (1, 0, 0)
    assert counts(scored(two_lesions, two_lesions, "brats2024-met")["ET"]) == (1, 0, 0)


def test_a_lesion_that_touches_several_belongs_to_the_first_in_the_order_of_the_file(space):
    """A file's first axis is x, the last one of an array: the core with the lower x is the first."""
    labels = space.copy()
    labels[2:6, :4, 30:40] = NETC
    labels[26:36, :4, 2:6] = NETC
    labels[2:6, :4, 2:30] = labels[6:26, :4, 2:6] = ET
    labels[2:6, :4, 40:43] = ET
    labels[36:40, :4, 2:6] = ET
    volumes = scored(labels, labels)["ET"].lesions["volume_ml"].tolist()
    assert sorted(volumes) == pytest.approx([0.048, 0.768 + 0.064])


def test_false_positives_are_counted_but_cost_nothing_in_radiotherapy(space):
    reference, prediction = space.copy(), space.copy()
    reference[10:16, 10:16, 10:16] = prediction[10:16, 10:16, 10:16] = 1
    prediction[30:36, 30:36, 30:36] = 1
    scores = scored(reference, prediction, "brats2024-men-rt")["GTV"]
    assert (scores.dice, scores.hd95_mm, counts(scores)) == (1, 0, (1, 1, 0))
    assert list(scores.lesions["counted"]) == [True, False]


def test_small_predictions_of_radiotherapy_are_measured_in_mm3(space):
    prediction = space.copy()
    prediction[10:15, 10:15, 10:14] = 1
    assert scored(space, prediction, "brats2024-men-rt")["GTV"].false_positives == 1
    assert scored(space, prediction, "brats2024-men-rt", (0.5, 1, 1))["GTV"].false_positives == 0


def test_the_table_has_a_column_a_tolerance(two_lesions):
    moved = np.roll(two_lesions, 1, 0)
    table = scored(two_lesions, moved)["TC"].lesions
    assert list(table.columns[-2:]) == ["nsd_0.5mm", "nsd_1mm"]
    assert 0 < table["nsd_0.5mm"][0] < table["nsd_1mm"][0]


def tissue_map(rng, shape, highest):
    labels = np.zeros(shape, np.uint8)
    for label in rng.permutation(np.arange(1, highest + 1)):
        field = ndimage.gaussian_filter(rng.random(shape), rng.uniform(0.6, 1.6))
        labels[field > np.quantile(field, 1 - rng.uniform(0.005, 0.06))] = label
    return labels


def changed(rng, labels, highest):
    prediction = np.roll(labels, rng.integers(-1, 2, 3), (0, 1, 2))
    parts, count = ndimage.label(prediction, np.ones((3, 3, 3)))
    prediction[(rng.random(count + 1) < 0.3)[parts]] = 0
    specks = rng.random(labels.shape) < 0.001
    prediction[specks] = rng.integers(0, highest + 1, specks.sum())
    return prediction


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("preset", OFFICIAL_TABLES)
def test_agrees_with_the_published_rules_done_by_hand(hd95_of_faces, preset, engine):
    rng = np.random.default_rng(11)
    highest = HIGHEST_LABEL.get(preset, 4)

    for number in range(6):
        reference = tissue_map(rng, tuple(rng.integers(12, 27, 3)), highest)
        prediction = changed(rng, reference, highest)
        spacing = (UNIT, UNIT, (0.5, 1.25, 2.0))[number % 3]
        ours = scored(reference, prediction, preset, spacing, engine=engine)
        theirs = by_hand.tissue_scores(preset, reference.T, prediction.T, spacing[::-1], hd95_of_faces)
        assert list(ours) == OFFICIAL_TABLES[preset]
        for region, values in theirs.items():
            for name, value in values.items():
                assert getattr(ours[region], name) == pytest.approx(value, rel=0, abs=1e-6), (number, region, name)


def test_a_real_post_treatment_case_against_itself_is_perfect(real_data):
    folder = real_data / "brats2024-gli-posttreatment" / "cases"
    [path] = sorted(folder.glob("BraTS-GLI-02072-103*/*.nii.gz"))
    labels = read_label_map(path)
    for scores in scored(labels, labels).values():
        assert (scores.dice, scores.hd95_mm) == (1, 0)
        assert scores.nsd == pytest.approx({0.5: 1, 1.0: 1})
        assert (scores.false_positives, scores.false_negatives) == (0, 0)
        assert scores.true_positives >= 1


LABELS = np.ones((3, 3, 3), np.uint8)
GLI = {"preset": "brats2024-gli"}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((LABELS, np.ones((3, 3, 4), np.uint8), UNIT), GLI, "not one grid"),
        ((LABELS + 0.5, LABELS, UNIT), GLI, "reference: not a label map"),
        ((LABELS, LABELS[0], UNIT), GLI, "prediction: has 2 dimensions"),
        ((LABELS, 5 * LABELS, UNIT), GLI, "prediction: label 5 is not in the convention brats2024-gli"),
        ((2 * LABELS, LABELS, UNIT), {"preset": "brats2024-men-rt"}, "reference: label 2 is not in"),
        ((LABELS, LABELS, (1, 1, -1)), GLI, "three positive numbers"),
        ((LABELS, LABELS, UNIT), {"preset": "brats2024"}, "use one of brats2024-gli, brats2024-met"),
        ((LABELS, LABELS, UNIT), {"preset": "brats2023-gli"}, "use lesionwise"),
        ((LABELS, LABELS, UNIT), {**GLI, "engine": "gpu"}, "use one of auto, numba, scipy"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(arguments, options, message):
    with pytest.raises(ScoringError, match=message):
        lesionwise_tissues(*arguments, **options)


@st.composite
def label_maps(draw):
    maps = arrays(
        np.uint8, draw(array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9)), elements=st.integers(0, 4)
    )
    one = draw(maps)
    return one, draw(arrays(np.uint8, one.shape, elements=st.integers(0, 4)))


@GIVEN
@given(label_maps())
def test_property_the_scores_are_the_means_of_the_counted_rows(pair):
    for scores in scored(*pair, "brats2024-met").values():
        table = scores.lesions.query("counted")
        assert sum(counts(scores)) == len(table)
        if len(table):
            assert scores.dice == pytest.approx(table["dice"].mean())
            assert scores.nsd == pytest.approx({0.5: table["nsd_0.5mm"].mean(), 1.0: table["nsd_1mm"].mean()})


@GIVEN
@given(label_maps())
def test_property_scores_lie_within_their_bounds(pair):
    for scores in scored(*pair).values():
        assert 0 <= scores.dice <= 1
        assert 0 <= scores.hd95_mm <= 337
        assert 0 <= scores.nsd[0.5] <= scores.nsd[1.0] <= 1


@GIVEN
@given(label_maps(), st.tuples(*[st.integers(0, 4)] * 6))
def test_property_translation_in_a_larger_volume_changes_nothing(pair, margins):
    pads = [(margins[axis], margins[axis + 3]) for axis in range(3)]
    before, after = scored(*pair), scored(*(np.pad(labels, pads) for labels in pair))
    for region, scores in before.items():
        moved = after[region]
        assert counts(moved) == counts(scores)
        assert (moved.dice, moved.hd95_mm) == pytest.approx((scores.dice, scores.hd95_mm))

"""Streaming moments of probability maps against closed forms and against numpy on the stacked members."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.special import entr

from BraTSRefineLib.fusion import QUANTITIES, FusionError, Moments, mean_probability

STATISTICS = ("mean", "variance", "entropy", "expected_entropy", "mutual_information")


def moments_of(members) -> Moments:
    moments = Moments("folds")
    for member in members:
        moments.add(member)
    return moments


def of_values(*values: float) -> Moments:
    return moments_of(np.full((3, 1, 1, 1), value, np.float32) for value in values)


def random_members(count: int = 8, shape=(3, 4, 5, 6)) -> np.ndarray:
    members = np.random.default_rng(1).random((count, *shape)).astype(np.float32)
    members[:, :, 0] = 0
    members[:, :, 1] = 1
    return members


def stacked(members: np.ndarray) -> dict[str, np.ndarray]:
    members = members.astype(np.float64)
    mean = members.mean(axis=0)
    entropy = entr(mean) + entr(1 - mean)
    expected = (entr(members) + entr(1 - members)).mean(axis=0)
    values = (mean, members.var(axis=0), entropy, expected, entropy - expected)
    return dict(zip(STATISTICS, values, strict=True))


@pytest.mark.parametrize("statistic", STATISTICS)
def test_streaming_equals_stacked(statistic):
    members = random_members()
    difference = getattr(moments_of(members), statistic) - stacked(members)[statistic]
    assert np.abs(difference).max() < 1e-6


@pytest.mark.parametrize("statistic", STATISTICS)
def test_order_of_members_does_not_matter(statistic):
    members = random_members()
    forwards, backwards = moments_of(members), moments_of(members[::-1])
    assert np.abs(getattr(forwards, statistic) - getattr(backwards, statistic)).max() < 1e-6


@pytest.mark.parametrize(
    ("values", "statistic", "expected"),
    [
        ((0, 1), "variance", 0.25),
        ((0.2, 0.4, 0.6, 0.8), "variance", 0.05),
        ((0.7, 0.7, 0.7), "variance", 0.0),
        ((0, 0, 1, 1), "entropy", 0.693147),
        ((0, 0, 1, 1), "expected_entropy", 0.0),
        ((0, 0, 1, 1), "mutual_information", 0.693147),
        ((0.2, 0.4, 0.6, 0.8), "entropy", 0.693147),
        ((0.2, 0.4, 0.6, 0.8), "expected_entropy", 0.58671),
        ((0.2, 0.4, 0.6, 0.8), "mutual_information", 0.10644),
        ((1, 0, 0, 0, 0), "mean", 0.2),
        ((1, 0, 0, 0, 0), "variance", 0.16),
        ((1, 0, 0, 0, 0), "mutual_information", 0.500402),
    ],
)
def test_closed_forms(values, statistic, expected):
    assert getattr(of_values(*values), statistic) == pytest.approx(expected, abs=1e-5)


def test_one_member_has_no_variance_and_no_mutual_information():
    single = of_values(0.3)
    assert not single.variance.any()
    assert not single.mutual_information.any()


def test_mutual_information_lies_between_zero_and_the_entropy():
    moments = moments_of(random_members(5))
    assert moments.mutual_information.min() >= 0
    assert (moments.mutual_information <= moments.entropy + 1e-6).all()
    assert moments.entropy.max() <= np.log(2) + 1e-6


@pytest.mark.parametrize("statistic", STATISTICS)
def test_float32_in_the_shape_of_a_member(statistic):
    values = getattr(moments_of(random_members(3).astype(np.float16)), statistic)
    assert values.dtype == np.float32
    assert values.shape == (3, 4, 5, 6)


def test_memory_does_not_grow_with_the_number_of_members():
    def peak(members: int) -> int:
        generator = np.random.default_rng(0)
        tracemalloc.start()
        moments_of(generator.random((3, 16, 32, 32), dtype=np.float32) for _ in range(members))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(20) < 1.1 * peak(3)


def test_mean_probability_of_identical_members_is_that_member():
    member = random_members(1)[0]
    assert np.abs(mean_probability([member] * 4) - member).max() < 1e-6
    assert np.array_equal(mean_probability([member]), member)


def test_mean_probability_equals_the_mean_of_moments():
    members = random_members(5)
    assert np.abs(mean_probability(iter(members)) - moments_of(members).mean).max() < 1e-6


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.5])
def test_a_member_that_holds_no_probabilities_is_named(bad):
    broken = np.full((3, 1, 1, 2), 0.5, np.float32)
    broken[0, 0, 0, 0] = bad
    moments = of_values(0.5)
    with pytest.raises(FusionError, match="member 2"):
        moments.add(broken[..., :1])
    with pytest.raises(FusionError, match="member 1 holds values"):
        mean_probability([broken])


def test_a_member_on_another_grid_is_named():
    with pytest.raises(FusionError, match="member 2 has shape 3x1x1x2, the first member has 3x1x1x1"):
        of_values(0.5).add(np.zeros((3, 1, 1, 2), np.float32))


def test_asking_before_a_member_was_added_is_an_error():
    with pytest.raises(FusionError, match="no member was added"):
        _ = Moments("folds").entropy


def test_every_quantity_says_that_it_is_not_a_calibrated_probability():
    assert set(QUANTITIES) == {"disagreement", *STATISTICS}
    for quantity in QUANTITIES.values():
        assert "not a calibrated probability" in quantity.what
        assert quantity.low < quantity.high


def test_a_map_is_described_with_the_number_of_its_members():
    assert QUANTITIES["disagreement"].describe(5).startswith("Disagreement of 5 label maps: ")
    assert QUANTITIES["entropy"].describe(4).startswith("Entropy of the mean of 4 probability maps: ")

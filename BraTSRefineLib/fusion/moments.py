"""Streaming moments of the members' probabilities: mean, variance, entropy, mutual information.

Mean and variance by Welford's recurrence (Welford 1962; population variance); predictive entropy, expected entropy
and their difference, the mutual information between prediction and member (Houlsby 2011, Depeweg 2018), in nats
for each region on its own (a Bernoulli variable in every voxel).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .members import FusionError, checked_probability

LARGEST_ROUNDING = 1e-5


def mean_probability(stacks: Iterable[np.ndarray]) -> np.ndarray:
    """Mean of the members' probabilities, float32 ``(region, z, y, x)``, one member in memory at a time.

    Raises FusionError for no member, another shape, NaN or values outside 0-1.
    """
    total, members = None, 0
    for members, stack in enumerate(stacks, start=1):
        stack = checked_probability(stack, None if total is None else total.shape, members)
        total = np.zeros(stack.shape, dtype=np.float32) if total is None else total
        total += stack
    if total is None:
        raise FusionError("there is no member to fuse")
    return total / np.float32(members)


class Moments:
    """Running moments of probability stacks; holds three float32 arrays however many members are added.

    ``kind`` says what the members are ("models", "folds", "augmentations"): over models and folds the mutual
    information speaks of the parameters, over augmentations of the sensitivity to the input.

    >>> moments = Moments("folds")
    >>> for probability in probabilities:
    ...     moments.add(probability)
    >>> moments.variance.max() <= 0.25
    """

    def __init__(self, kind: str = "models") -> None:
        self.kind = kind
        self.members = 0

    def add(self, probability: np.ndarray) -> None:
        """Take in one member ``(region, z, y, x)`` in 0-1. Raises FusionError for NaN or another shape."""
        probability = checked_probability(probability, self._mean.shape if self.members else None, self.members + 1)
        if not self.members:
            self._mean, self._squares, self._entropies = (np.zeros(probability.shape, np.float32) for _ in range(3))
        self.members += 1
        for region, values in enumerate(probability):
            self._add_region(region, values.astype(np.float32, copy=False))

    @property
    def mean(self) -> np.ndarray:
        self._check_filled()
        return self._mean

    @property
    def variance(self) -> np.ndarray:
        """Population variance, 0-0.25; zero for a single member."""
        self._check_filled()
        return self._squares / np.float32(self.members)

    @property
    def entropy(self) -> np.ndarray:
        """Entropy of the mean, 0-ln 2 nats: how unsure the members are together."""
        self._check_filled()
        return np.stack([bernoulli_entropy(values) for values in self._mean])

    @property
    def expected_entropy(self) -> np.ndarray:
        """Mean of the members' entropies, 0-ln 2 nats: how unsure each member is by itself."""
        self._check_filled()
        return self._entropies / np.float32(self.members)

    @property
    def mutual_information(self) -> np.ndarray:
        """Entropy less expected entropy, 0-ln 2 nats: how far the members disagree. Zero for a single member."""
        return _clamped(self.entropy - self.expected_entropy)

    def _add_region(self, region: int, values: np.ndarray) -> None:
        difference = values - self._mean[region]
        self._mean[region] += difference / np.float32(self.members)
        self._squares[region] += difference * (values - self._mean[region])
        self._entropies[region] += bernoulli_entropy(values)

    def _check_filled(self) -> None:
        if not self.members:
            raise FusionError("no member was added yet")


def bernoulli_entropy(probability: np.ndarray) -> np.ndarray:
    """-p ln p - (1 - p) ln(1 - p) in nats, same shape and type; zero at 0 and 1."""
    complement = 1 - probability
    return -(_x_log_x(probability) + _x_log_x(complement))


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(np.maximum(x, np.finfo(x.dtype).tiny))


def _clamped(information: np.ndarray) -> np.ndarray:
    """Rounding makes it slightly negative; more than that would be an error of ours."""
    lowest = float(information.min())
    if lowest < -LARGEST_ROUNDING:
        raise FusionError(f"mutual information of {lowest:g} nats is impossible; the members' moments are broken")
    return np.maximum(information, 0, out=information)

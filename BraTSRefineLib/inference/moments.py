"""Running moments of the members' probabilities on the device, split into within and between models.

Definitions as in ``fusion.moments`` (Welford 1962, population variance; Bernoulli entropies in nats), but every model
counts the same however many augmentations it was seen through. By the law of total variance the variance is the mean
of the models' own variances over their augmentations (within) and the variance of their means (between).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

PART = 1 << 17
"""Voxels that a CPU takes at once: what it works out in between then stays in its cache, in less than half the time."""

Part = tuple[slice, slice]
Count = float | torch.Tensor
"""How often a voxel was counted: a number for all, or float32 ``(z, y, x)`` where members count in some alone."""


class Running:
    """Weighted mean and squared deviations of ``(region, z, y, x)`` values, by Welford's recurrence."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.count: Count = 0.0
        self.mean = torch.zeros(shape, device=device)
        self._squares = torch.zeros(shape, device=device)

    def add(self, values: torch.Tensor, covered: torch.Tensor | None = None, weight: float = 1.0) -> None:
        """Take in ``values``, where ``covered`` (boolean ``(z, y, x)``; None: everywhere). ``values`` is used up."""
        counted = counting(covered, weight)
        self.count = self.count + counted
        share = counted / (self.count if isinstance(self.count, float) else _at_least_one(self.count))
        for part in parts(values):
            self._add_part(part, values[part], _of_part(counted, part), _of_part(share, part))

    def _add_part(self, part: Part, values: torch.Tensor, counted: Count, share: Count) -> None:
        mean, squares = self.mean[part], self._squares[part]
        deviation = values - mean
        if isinstance(share, float):
            mean.add_(deviation, alpha=share)
            squares.addcmul_(deviation, values.sub_(mean), value=counted)
        else:
            mean.addcmul_(deviation, share)
            squares.addcmul_(deviation.mul_(counted), values.sub_(mean))

    @property
    def variance(self) -> torch.Tensor:
        return divided(self._squares, self.count)

    def clear(self) -> None:
        self.count = 0.0
        self.mean.zero_()
        self._squares.zero_()


class MemberMoments:
    """Seven arrays of a member's size, however many members are added. Members of one model come one after another.

    ``shape``: ``(region, z, y, x)``. Where no member of a model counts, the model does not count.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self._model = Running(shape, device)
        self._models = Running(shape, device)
        self._model_entropy, self._within, self._expected = (torch.zeros(shape, device=device) for _ in range(3))

    def add(self, probability: torch.Tensor, covered: torch.Tensor | None = None, weight: float = 1.0) -> None:
        """One augmentation of the current model: its region probabilities, which are used up."""
        for part in parts(probability):
            entropy = bernoulli_entropy(probability[part])
            if covered is not None:
                entropy *= covered[part[1:]]
            self._model_entropy[part].add_(entropy, alpha=weight)
        self._model.add(probability, covered, weight)

    @property
    def model_mean(self) -> torch.Tensor:
        """The current model's mean probability so far."""
        return self._model.mean

    def end_model(self) -> None:
        """The current model has no further augmentation."""
        count = self._model.count
        self._within += self._model.variance
        self._expected += divided(self._model_entropy, count)
        self._models.add(self._model.mean.clone(), where_counted(count))
        self._model.clear()
        self._model_entropy.zero_()

    def maps(self) -> dict[str, torch.Tensor]:
        """Every quantity by its name in ``CasePrediction``."""
        within, between = divided(self._within, self._models.count), self._models.variance
        expected, entropy = divided(self._expected, self._models.count), bernoulli_entropy(self._models.mean)
        return {
            "probability": self._models.mean,
            "variance": within + between,
            "entropy": entropy,
            "expected_entropy": expected,
            "mutual_information": (entropy - expected).clamp_(min=0),
            "within_model": within,
            "between_model": between,
        }


class MeanAlone:
    """The mean of ``MemberMoments`` and nothing else."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self._model, self._models = (torch.zeros(shape, device=device) for _ in range(2))
        self._count: Count = 0.0
        self._models_count: Count = 0.0

    def add(self, probability: torch.Tensor, covered: torch.Tensor | None = None, weight: float = 1.0) -> None:
        """As ``MemberMoments.add``."""
        self._model.add_(probability if covered is None else probability.mul_(covered), alpha=weight)
        self._count = self._count + counting(covered, weight)

    @property
    def model_mean(self) -> torch.Tensor:
        """As ``MemberMoments.model_mean``."""
        return divided(self._model, self._count)

    def end_model(self) -> None:
        """As ``MemberMoments.end_model``."""
        self._models += divided(self._model, self._count)
        self._models_count = self._models_count + counting(where_counted(self._count), 1.0)
        self._model.zero_()
        self._count = 0.0

    def maps(self) -> dict[str, torch.Tensor]:
        return {"probability": divided(self._models, self._models_count)}


def bernoulli_entropy(probability: torch.Tensor) -> torch.Tensor:
    """-p ln p - (1 - p) ln(1 - p) in nats, same shape; as ``fusion.moments.bernoulli_entropy``.

    By the logarithm, which takes a third of the time of ``torch.special.entr``.
    """
    complement = 1 - probability
    return _x_log_x(probability).add_(_x_log_x(complement)).neg_()


def _x_log_x(x: torch.Tensor) -> torch.Tensor:
    return x.clamp_min(torch.finfo(x.dtype).tiny).log_().mul_(x)


def parts(values: torch.Tensor) -> Iterator[Part]:
    """Regions and slabs along z of about ``PART`` voxels of ``(region, z, y, x)``; on a GPU everything at once."""
    regions, planes = len(values), values.shape[1]
    if values.device.type != "cpu":
        yield slice(0, regions), slice(0, planes)
        return
    thick = max(1, PART // max(values[0, 0].numel(), 1)) if planes else 1
    for region in range(regions):
        for first in range(0, planes, thick):
            yield slice(region, region + 1), slice(first, first + thick)


def _of_part(value: Count, part: Part) -> Count:
    return value if isinstance(value, float) else value[part[1:]]


def counting(covered: torch.Tensor | None, weight: float) -> Count:
    return weight if covered is None else covered.float().mul_(weight)


def where_counted(count: Count) -> torch.Tensor | None:
    """Boolean ``(z, y, x)``: where anything was counted. None: everywhere."""
    return None if isinstance(count, float) else count > 0


def divided(total: torch.Tensor, count: Count) -> torch.Tensor:
    """Mean from a sum; zero where nothing was counted."""
    return total / (count or 1.0) if isinstance(count, float) else total / _at_least_one(count)


def _at_least_one(count: torch.Tensor) -> torch.Tensor:
    """One where nothing was counted, so that it can be divided by."""
    return count.masked_fill(count == 0, 1)

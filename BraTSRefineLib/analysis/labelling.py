"""Whether labels stand for other tissues than their convention says: other orders, other years, other challenges."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

import numpy as np

from ..regions import CONVENTIONS, LabelConvention, label_convention
from .finding import OTHER_CONVENTION, PERMUTED, Finding, evidence
from .sides import Sides, mean

GAIN = 0.3
CREDIBLE = 0.5
"""Another reading of the labels must raise the mean Dice by ``GAIN``, to at least ``CREDIBLE``."""

COVERED = 0.5
"""Least share of the truth's WT in the prediction's, as in one too small its oedema lies where the truth's core is."""

ONE_REGION_GAIN = 0.5
NOTHING_LOST = 0.02
"""Two labels swapped may spoil one region alone: it gains this much and no region loses more than that."""


def other_labels(sides: Sides) -> Finding | None:
    """The reading of the prediction's labels that fits far better than the stated one, or than none at all."""
    outside = sides.prediction.labels.outside(sides.present)
    readings = _readings(sides)
    if not readings or sides.truth.box is None:
        return _nothing_fits(sides, outside, None) if outside else None
    best = max(readings, key=lambda labels: _rank(mean(_dice(sides, labels)), labels, sides.present))
    reached = _dice(sides, best)
    if outside:
        return (_unknown_labels if _credible(sides, best) else _nothing_fits)(sides, outside, best)
    stated = _dice(sides, sides.prediction.labels)
    better = _far_better(stated, reached) or _one_region_better(sides, stated, reached)
    if not (better and _credible(sides, best)):
        return None
    return _misread(sides, best)


def only_one_region(finding: Finding) -> bool:
    """Whether a finding of labels rests on one region, which the model's other cases have to confirm."""
    return "rests_on=one region" in finding.evidence


def reference_labels(case: str, sides: Iterable[Sides]) -> Finding | None:
    """The convention that fits a reference whose labels its stated one does not know, judged by the predictions."""
    turned = [one.turned_round for one in sides]
    if not turned:
        return None
    readings = _readings(turned[0])
    reached = {labels.name: float(np.mean([mean(_dice(one, labels)) for one in turned])) for labels in readings}
    ranks = {labels.name: _rank(reached[labels.name], labels, turned[0].present) for labels in readings}
    best = max(ranks, key=ranks.get, default="")
    outside = _listed(turned[0].prediction.labels.outside(turned[0].present))
    stated = turned[0].prediction.labels.name
    message = f"its reference has label {outside}, which {stated} does not know: nothing of the case was scored; "
    if best and reached[best] >= CREDIBLE:
        message += (
            f"read as {best} it fits the predictions (mean Dice {reached[best]:.2f}); if so, state --labels {best}"
        )
    else:
        message += "no known convention makes it fit the predictions; spell its labels out with --labels"
    return Finding(case, "", OTHER_CONVENTION, message, evidence(outside=outside, best=best, mean_dice=reached))


def _readings(sides: Sides) -> list[LabelConvention]:
    """What the prediction's labels may mean instead: the named conventions that know them all, then every order."""
    stated, present = sides.prediction.labels, sides.present
    named = [one for one in CONVENTIONS.values() if not one.outside(present) and len(one.regions) == 3]
    labels = present if len(present) == 3 or stated.outside(present) else stated.labels
    orders = permutations(sorted(labels)) if len(labels) == 3 else ()
    spelled = [label_convention(f"NCR={ncr},ED={ed},ET={et}") for ncr, ed, et in orders]
    return [one for one in [*named, *spelled] if one.regions != stated.regions]


def _dice(sides: Sides, labels: LabelConvention) -> dict[str, float]:
    """By region of the truth that has voxels."""
    return {region: sides.dice_of(region, labels) for region in sides.truth.regions if sides.truth.size(region)}


def _far_better(stated: dict[str, float], reached: dict[str, float]) -> bool:
    return mean(reached) - mean(stated) > GAIN


def _one_region_better(sides: Sides, stated: dict[str, float], reached: dict[str, float]) -> bool:
    gains = [reached[region] - stated[region] for region in stated]
    steep = max(gains, default=0.0) > ONE_REGION_GAIN and min(gains) >= -NOTHING_LOST
    return len(sides.present) > 2 and steep


def _credible(sides: Sides, labels: LabelConvention) -> bool:
    return mean(_dice(sides, labels)) >= CREDIBLE and _covered(sides, labels) >= COVERED


def _covered(sides: Sides, labels: LabelConvention) -> float:
    """Share of the truth's WT in which the prediction has WT; 1 where the truth does not know WT."""
    truth = sides.joint[list(sides.truth.labels.regions.get("WT", ()))]
    return float(truth[:, list(labels.regions["WT"])].sum() / truth.sum()) if truth.any() else 1.0


def _rank(dice: float, labels: LabelConvention, present: frozenset[int]) -> tuple[float, bool, int]:
    """By Dice; of equals a convention that has a name, and the one with the fewest labels that do not occur."""
    return round(dice, 9), labels.name in CONVENTIONS, -len(labels.labels - present)


def _misread(sides: Sides, best: LabelConvention) -> Finding:
    stated, reached = _dice(sides, sides.prediction.labels), _dice(sides, best)
    named = best.name in CONVENTIONS
    seem = f"its labels look like those of {best.name}" if named else "its labels look permuted"
    message = (
        f"{seem}: read as {best.name} the mean Dice is {mean(reached):.2f} instead of {mean(stated):.2f}; "
        f"if that is so, state --model-labels {sides.model}={best.name}"
    )
    rests = "all regions" if _far_better(stated, reached) else "one region"
    facts = evidence(read_as=best.name.replace("=", ":"), before=stated, after=reached, rests_on=rests)
    return Finding(sides.case, sides.model, OTHER_CONVENTION if named else PERMUTED, message, facts)


def _unknown_labels(sides: Sides, outside: Iterable[int], best: LabelConvention) -> Finding:
    reached = _dice(sides, best)
    message = (
        f"it has label {_listed(outside)}, which {sides.prediction.labels.name} does not know, and was not scored; "
        f"read as {best.name} its mean Dice is {mean(reached):.2f}: "
        f"if that is so, state --model-labels {sides.model}={best.name}"
    )
    facts = evidence(outside=_listed(outside), read_as=best.name.replace("=", ":"), after=reached)
    return Finding(sides.case, sides.model, OTHER_CONVENTION, message, facts)


def _nothing_fits(sides: Sides, outside: Iterable[int], best: LabelConvention | None) -> Finding:
    known = f"; the best, {best.name}, gives a mean Dice of {mean(_dice(sides, best)):.2f}" if best else ""
    message = (
        f"it has label {_listed(outside)}, which {sides.prediction.labels.name} does not know, and was not scored; "
        f"no known convention makes it fit{known}: look at what wrote it"
    )
    return Finding(sides.case, sides.model, OTHER_CONVENTION, message, evidence(outside=_listed(outside)))


def _listed(labels: Iterable[int]) -> str:
    return ", ".join(map(str, labels))

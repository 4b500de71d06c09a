"""A label map from one convention into another, without losing what it says."""

from __future__ import annotations

import numpy as np

from ..regions import REGIONS, LabelConvention, LabelError


def consecutive(convention: LabelConvention) -> LabelConvention:
    """The same tissues as 1, 2, 3 ..., in the order of their labels, as nnU-Net asks for."""
    order = {label: number for number, label in enumerate(sorted(convention.labels), start=1)}
    if all(label == number for label, number in order.items()):
        return convention
    tissues = {name: order[label] for name, label in convention.tissues.items()}
    regions = {region: tuple(order[label] for label in labels) for region, labels in convention.regions.items()}
    name = ",".join(f"{tissue}={label}" for tissue, label in tissues.items())
    return LabelConvention(name, tissues, regions, convention.singles)


def relabelled(labels: np.ndarray, source: LabelConvention, target: LabelConvention) -> np.ndarray:
    """A label map ``(z, y, x)`` in the target's labels, uint8.

    Tissue by tissue where the target has all that occur, else region by region. Raises LabelError where a label is
    unknown to the source or what it stands for cannot be said in the target.
    """
    present = set(np.unique(labels).tolist()) - {0}
    if unknown := source.outside(present):
        raise LabelError(f"label {', '.join(map(str, unknown))} is not one of {source.name}")
    names = {name: label for name, label in source.tissues.items() if label in present}
    if names.keys() <= target.tissues.keys() and _is_named(names):
        table = np.zeros(256, np.uint8)
        for name, label in names.items():
            table[label] = target.tissues[name]
        return table[labels]
    return _by_region(labels, present, source, target)


def _is_named(tissues: dict[str, int]) -> bool:
    """Whether the names mean anything: a convention of regions alone calls its tissues by their numbers."""
    return not any(name.isdigit() for name in tissues)


def _by_region(labels: np.ndarray, present: set[int], source: LabelConvention, target: LabelConvention) -> np.ndarray:
    missing = [region for region in REGIONS if region not in source.regions or region not in target.regions]
    if missing:
        raise LabelError(f"{', '.join(missing)} cannot be told in both {source.name} and {target.name}")
    outside = sorted(present - set(source.regions["WT"]))
    if outside:
        raise LabelError(f"label {', '.join(map(str, outside))} of {source.name} has no counterpart in {target.name}")
    return target.paint(source.masks(labels))

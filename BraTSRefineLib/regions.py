"""Label conventions, tumour regions, and the way from a label map to region channels and back.

Definitions: BraTS 2017-2025 data descriptions; ``WT``, ``TC`` and ``ET`` as in the official scoring code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

REGIONS = ("WT", "TC", "ET")
"""The nested tumour regions, from the outermost."""

TISSUE_REGIONS = ("RC", "NETC", "SNFH", "CC", "ED", "GTV")
"""Tissues that a challenge scores for themselves, beside the tumour regions."""

SCORED_REGIONS = (*REGIONS, *TISSUE_REGIONS)
REGION_NAMES = {
    "WT": "whole tumour",
    "TC": "tumour core",
    "ET": "enhancing tumour",
    "RC": "resection cavity",
    "NETC": "non-enhancing tumour core",
    "SNFH": "surrounding FLAIR hyperintensity",
    "CC": "cystic component",
    "ED": "oedema",
    "GTV": "gross tumour volume",
}


class LabelError(ValueError):
    """A label map or the name of a convention that cannot be understood."""


@dataclass(frozen=True)
class LabelConvention:
    """What the integers of a label map mean.

    ``tissues`` maps a tissue's name to its label; ``regions`` maps a region's name to the labels it is made of.
    A region that the convention does not know (ET of a core/rest annotation) is absent from ``regions``.
    ``singles`` names the tissues that are scored for themselves.
    """

    name: str
    tissues: Mapping[str, int]
    regions: Mapping[str, tuple[int, ...]]
    singles: tuple[str, ...] = ()

    @property
    def scored_regions(self) -> dict[str, tuple[int, ...]]:
        """Every region that is scored and its labels, in the order of ``SCORED_REGIONS``."""
        known = {**self.regions, **{name: (self.tissues[name],) for name in self.singles}}
        return {name: known[name] for name in SCORED_REGIONS if name in known}

    @property
    def labels(self) -> frozenset[int]:
        """Every label but background."""
        return frozenset(self.tissues.values())

    def mask(self, label_map: np.ndarray, region: str) -> np.ndarray:
        """Boolean mask of one region, same shape as ``label_map``."""
        if region not in self.scored_regions:
            raise LabelError(f"label convention {self.name} has no region {region}")
        first, *others = self.scored_regions[region]
        label_map = np.asarray(label_map)
        mask = label_map == first
        for label in others:  # comparing bytes is several times as fast as a table of labels
            mask |= label_map == label
        return mask

    def masks(self, label_map: np.ndarray, regions: Sequence[str] = REGIONS) -> np.ndarray:
        """Region stack ``(region, z, y, x)``, boolean."""
        return np.stack([self.mask(label_map, region) for region in regions])

    def paint(self, regions: np.ndarray) -> np.ndarray:
        """Label map (uint8) from a WT, TC, ET stack ``(3, z, y, x)``; the innermost region wins.

        A region counts where it or a region inside it is set, so the result is always nested. Raises LabelError
        where the convention leaves open which labels make up WT or TC.
        """
        if not {"WT", "TC"} <= self.regions.keys():
            raise LabelError(f"no label map can be written while the labels are {self.name}; state --labels")
        whole, core, enhancing = (np.asarray(mask, dtype=bool) for mask in regions)
        label_map = np.zeros(whole.shape, dtype=np.uint8)
        label_map[whole] = self._tissue_of("WT", "TC")
        label_map[core] = self._tissue_of("TC", "ET")
        if "ET" in self.regions:
            label_map[enhancing] = self.regions["ET"][0]
        return label_map

    def outside(self, labels: Iterable[int]) -> list[int]:
        """The given labels that this convention does not know, sorted; background is always known."""
        return sorted(set(labels) - self.labels - {0})

    def _tissue_of(self, region: str, inner: str) -> int:
        """The label that belongs to ``region`` and not to the region inside it."""
        rest = [label for label in self.regions[region] if label not in self.regions.get(inner, ())]
        return rest[-1]


def _glioma(name: str, necrosis: int, oedema: int, enhancing: int) -> LabelConvention:
    tissues = {"NCR": necrosis, "ED": oedema, "ET": enhancing}
    regions = {"WT": (necrosis, enhancing, oedema), "TC": (enhancing, necrosis), "ET": (enhancing,)}
    return LabelConvention(name, tissues, regions)


CONVENTIONS: dict[str, LabelConvention] = {
    convention.name: convention
    for convention in (
        LabelConvention(
            "brats2013",
            {"NCR": 1, "ED": 2, "NET": 3, "ET": 4},
            {"WT": (1, 3, 4, 2), "TC": (4, 3, 1), "ET": (4,)},
        ),
        _glioma("brats2021", necrosis=1, oedema=2, enhancing=4),
        _glioma("brats2023", necrosis=1, oedema=2, enhancing=3),
        LabelConvention(
            "brats2024-gli",
            {"NETC": 1, "SNFH": 2, "ET": 3, "RC": 4},
            {"WT": (1, 3, 2), "TC": (3, 1), "ET": (3,)},
            ("RC", "NETC", "SNFH"),
        ),
        LabelConvention(
            "brats2024-ped",
            {"ET": 1, "NETC": 2, "CC": 3, "ED": 4},
            {"WT": (1, 2, 3, 4), "TC": (1, 3, 2), "ET": (1,)},
            ("NETC", "CC", "ED"),
        ),
        LabelConvention("brats2024-men-rt", {"GTV": 1}, {"WT": (1,)}, ("GTV",)),
        LabelConvention("core-rest", {"core": 1, "rest": 2}, {"WT": (1, 2), "TC": (1,)}),
    )
}

ALIASES = {f"brats{year}": "brats2021" for year in (2017, 2018, 2019, 2020)} | {
    "brats2012": "brats2013",
    "brats2014": "brats2013",
    "brats2015": "brats2013",
    "brats2016": "brats2013",
    "brats2024-met": "brats2024-gli",
    "brats2024-ssa": "brats2023",
    "brats2025-gli": "brats2024-gli",
    "yale-brainmets": "core-rest",
}


def label_convention(text: str) -> LabelConvention:
    """The convention of that name, or the one spelled out as ``NCR=1,ED=2,ET=4``.

    Raises LabelError with the known names where it is neither.
    """
    name = ALIASES.get(text.lower(), text.lower())
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    if "=" in text:
        return _spelled_out(text)
    known = ", ".join(sorted({*CONVENTIONS, *ALIASES}))
    raise LabelError(f"unknown label convention '{text}': use one of {known}, or spell it out as NCR=1,ED=2,ET=4")


def _spelled_out(text: str) -> LabelConvention:
    try:
        tissues = {key.strip().upper(): int(value) for key, value in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise LabelError(f"label convention '{text}' is not of the form NCR=1,ED=2,ET=4") from None
    if set(tissues) != {"NCR", "ED", "ET"} or len(set(tissues.values())) != 3:
        raise LabelError(f"label convention '{text}' must give NCR, ED and ET three different labels")
    if not all(0 < label < 256 for label in tissues.values()):
        raise LabelError(f"label convention '{text}': labels lie between 1 and 255")
    return _glioma(text, tissues["NCR"], tissues["ED"], tissues["ET"])


def agreeing_convention(candidates: Sequence[LabelConvention], labels: Iterable[int]) -> LabelConvention:
    """What is certain where several conventions fit: the regions on which all of them agree for ``labels``."""
    labels = set(labels) - {0}
    seen = [{region: labels & set(parts) for region, parts in c.regions.items()} for c in candidates]
    agreed = {
        region: tuple(candidates[0].regions[region])
        for region in REGIONS
        if all(region in regions and regions[region] == seen[0].get(region) for regions in seen)
    }
    name = " or ".join(candidate.name for candidate in candidates)
    return LabelConvention(name, {str(label): label for label in sorted(labels)}, agreed)

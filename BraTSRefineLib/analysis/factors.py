"""By what a cohort can be divided: size of a region, centre, and every attribute that its manifest tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from ..cohort import Cohort
from .metrics import AnalysisError

SIZE_CUTS_ML = {"WT": (20.0, 80.0), "TC": (5.0, 20.0), "ET": (1.0, 10.0)}
"""Where small ends and large begins, by region, comparable between cohorts."""

TISSUE_CUTS_ML = (1.0, 10.0)
"""The same for the tissues that are scored for themselves."""

TERTILES = "tertiles"
ABSENT = "absent"
UNKNOWN_CENTER = "unknown centre"
MANY_VALUES = 8
"""A numeric attribute (age) with more values than this is divided into thirds."""

Cuts = str | Sequence[float] | None


@dataclass(frozen=True)
class Division:
    """The stratum of each case, and every stratum in its natural order."""

    stratum_of: Mapping[str, str]
    order: tuple[str, ...]


def divide(scores: pd.DataFrame, cohort: Cohort, by: str, region: str, cuts: Cuts = None) -> Division:
    """The cohort divided by ``size`` of ``region``, ``center``, ``split`` or an attribute of its cases.

    ``cuts`` in ml, ``"tertiles"``, or the region's own; they concern the size alone. Raises AnalysisError for a
    factor that the cohort does not know, naming those that it knows, and for cuts that do not ascend.
    """
    if by == "size":
        return by_size(region_sizes(scores, region), region, cuts)
    if by == "center":
        centers = {case.case: case.center or UNKNOWN_CENTER for case in cohort.cases}
        return Division(centers, (*cohort.centers, UNKNOWN_CENTER))
    if by in known_factors(cohort):
        told = {case.case: case.split if by == "split" else case.attributes.get(by, "") for case in cohort.cases}
        return _by_attribute(told, by)
    raise AnalysisError(f"nothing is known of the cases' '{by}': divide them by {', '.join(known_factors(cohort))}")


def known_factors(cohort: Cohort) -> list[str]:
    """What the cases of a cohort can be divided by."""
    told = {name for case in cohort.cases for name in case.attributes}
    split = ["split"] if any(case.split for case in cohort.cases) else []
    return ["size", "center", "region", *split, *sorted(told - {"size", "center", "region", "split"})]


def region_sizes(scores: pd.DataFrame, region: str) -> pd.Series:
    """Reference volume in ml by case; without a reference the median of what the models were compared with."""
    volumes = scores[(scores["metric"] == "volume_reference_ml") & (scores["region"] == region)]
    return volumes.groupby("case", sort=False)["value"].median()


def by_size(sizes: pd.Series, region: str, cuts: Cuts = None) -> Division:
    """Strata of volumes in ml; a volume of 0 is "absent"."""
    if isinstance(cuts, str) and cuts != TERTILES:
        raise AnalysisError(f"size cuts are numbers in ml or '{TERTILES}', not '{cuts}'")
    if cuts == TERTILES:
        present = sizes[sizes > 0]
        thirds = _by_third(present, " ml")
        absent = dict.fromkeys(sizes.index.difference(present.index, sort=False), ABSENT)
        return Division(absent | dict(thirds.stratum_of), (ABSENT, *thirds.order))
    names, index = size_ranges(sizes, SIZE_CUTS_ML.get(region, TISSUE_CUTS_ML) if cuts is None else cuts)
    strata = np.where(sizes > 0, np.array(names, dtype=object)[index], ABSENT)
    return Division(dict(zip(sizes.index, strata, strict=True)), (ABSENT, *names))


def size_ranges(sizes: pd.Series, cuts: Sequence[float]) -> tuple[list[str], np.ndarray]:
    """The names of the ranges between ``cuts`` in ml, and the range of each size; a cut belongs to what is above."""
    edges = [float(cut) for cut in cuts]
    if not edges or edges[0] <= 0 or any(a >= b for a, b in pairwise(edges)):
        raise AnalysisError(f"size cuts must be positive ml that ascend, such as 1, 10, not {list(cuts)}")
    between = [f"{low:g} to {high:g} ml" for low, high in pairwise(edges)]
    names = [f"under {edges[0]:g} ml", *between, f"from {edges[-1]:g} ml"]
    return names, np.searchsorted(edges, sizes, side="right")


def _by_attribute(told: Mapping[str, str], name: str) -> Division:
    """Each value a stratum, numbers in their order; those that are many are divided into thirds."""
    unknown = f"unknown {name}"
    known = {case: text for case, text in told.items() if text}
    values = sorted(set(known.values()))
    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(numbers).all():
        return Division({case: text or unknown for case, text in told.items()}, (*values, unknown))
    if len(values) > MANY_VALUES:
        thirds = _by_third(pd.Series({case: float(text) for case, text in known.items()}), "")
        return Division(dict.fromkeys(told, unknown) | dict(thirds.stratum_of), (*thirds.order, unknown))
    ordered = [values[place] for place in np.argsort(numbers, kind="stable")]
    return Division({case: text or unknown for case, text in told.items()}, (*ordered, unknown))


_THIRDS = ("smallest", "middle", "largest")


def _by_third(values: pd.Series, unit: str) -> Division:
    """Thirds of equal number by rank; equal values are told apart by the case's name."""
    ordered = sorted(values.index, key=lambda case: (values[case], case))
    thirds = np.array_split(np.array(ordered, dtype=object), len(_THIRDS))
    spans = [_span(values[list(third)], unit) for third in thirds]
    names = [f"{name} third{span}" for name, span in zip(_THIRDS, spans, strict=True)]
    stratum_of = {case: name for name, third in zip(names, thirds, strict=True) for case in third}
    return Division(stratum_of, tuple(names))


def _span(values: pd.Series, unit: str) -> str:
    return f" ({values.min():.3g} to {values.max():.3g}{unit})" if len(values) else ""

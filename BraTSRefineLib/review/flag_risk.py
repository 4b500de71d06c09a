"""How often the fused label is wrong where the evidence looks like this: counted on cases with a reference.

A table a region, a cell a sort of evidence. Cells that few voxels back lean on the coarser cell, that one on the
mean over all. The threshold is the lowest at which cases that the table did not see reach the wanted precision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohort.workspace import Workspace, safe_name, written_whole
from .flag_evidence import Evidence
from .flag_types import ReviewError

PRECISION = 0.45
"""Of what is flagged, the share that should be wrong: a little above the 0.4 that a reader should count on."""

CASE_WEIGHT = 1e5
"""A case counts as this many voxels, however large its tumour."""

LEANING = 50.0
"""Voxels of the coarser cell that each cell starts from."""

RISKS_FILE = "evaluation/flag_risks.json"
"""Where a workspace keeps the tables of the cohort's models."""

THRESHOLDS = np.round(np.linspace(0.02, 0.98, 97), 2)


@dataclass(frozen=True)
class Tally:
    """One case's voxels and wrong voxels in each cell, and all its wrong voxels, also those without evidence."""

    kind: str
    voxels: np.ndarray
    errors: np.ndarray
    all_errors: int
    parents: np.ndarray

    @classmethod
    def of(cls, evidence: Evidence, wrong: np.ndarray) -> Tally:
        """Count a case: ``wrong`` (z, y, x) is where the fused label differs from the reference."""
        codes, here = evidence.codes.ravel(), wrong[evidence.box].ravel()
        return cls(
            evidence.kind,
            np.bincount(codes, minlength=evidence.cells).astype(float),
            np.bincount(codes[here], minlength=evidence.cells).astype(float),
            int(wrong.sum()),
            evidence.parents,
        )


@dataclass(frozen=True)
class RiskTable:
    """P(the fused label is wrong) a cell, and the threshold that flags are cut at.

    ``coverage`` and ``precision`` are medians over the calibration cases, each judged by a table of the others, NaN
    where no voxel was flagged; ``cases`` says how many there were.
    """

    kind: str
    risks: tuple[float, ...]
    threshold: float
    coverage: float
    precision: float
    cases: int

    def risk(self, evidence: Evidence) -> np.ndarray:
        """Map ``(z, y, x)`` in 0 to 1. Raises ReviewError for evidence of another kind than the table's."""
        if evidence.kind != self.kind or evidence.cells != len(self.risks):
            raise ReviewError(f"flags were calibrated on {self.kind}, this case has {evidence.kind}; evaluate again")
        return evidence.spread(np.asarray(self.risks))


def fit_risk(tallies: Sequence[Tally], *, precision: float = PRECISION) -> RiskTable:
    """The table of a region from its cases' tallies, cut for a wanted ``precision``.

    Raises ReviewError for fewer than two cases (a threshold is judged on a case that the table did not see), and for
    tallies of different kinds.
    """
    if len(tallies) < 2:
        raise ReviewError(f"calibrating flags takes at least two cases with a reference; there is {len(tallies)}")
    kinds = sorted({tally.kind for tally in tallies})
    if len(kinds) > 1:
        raise ReviewError(f"cases have different evidence ({'; '.join(kinds)}); calibrate those of one kind")
    best = _lowest_that_reaches(coverage_precision(tallies), precision)
    found = (float(best["threshold"]), float(best["coverage"]), float(best["precision"]))
    return RiskTable(kinds[0], tuple(map(float, cell_risks(tallies))), *found, len(tallies))


def cell_risks(tallies: Sequence[Tally]) -> np.ndarray:
    """P(wrong) a cell; every case weighs the same."""
    weights = [CASE_WEIGHT / max(tally.voxels.sum(), 1) for tally in tallies]
    voxels = sum(weight * tally.voxels for weight, tally in zip(weights, tallies, strict=True))
    errors = sum(weight * tally.errors for weight, tally in zip(weights, tallies, strict=True))
    mean = errors.sum() / max(voxels.sum(), 1)
    parents = tallies[0].parents
    coarse_voxels, coarse_errors = (np.bincount(parents, counts, len(parents)) for counts in (voxels, errors))
    coarse = (coarse_errors + LEANING * mean) / (coarse_voxels + LEANING)
    return (errors + LEANING * coarse[parents]) / (voxels + LEANING)


def coverage_precision(tallies: Sequence[Tally]) -> pd.DataFrame:
    """threshold, coverage, precision: medians over the cases, each flagged by a table that was made of the others.

    Cases without an error have no coverage, cases without a flagged voxel no precision.
    """
    curves = np.array([_curve(tally, cell_risks(others)) for tally, others in _left_out(tallies)])
    covered, precise = _median(curves[:, 0]), _median(curves[:, 1])
    return pd.DataFrame({"threshold": THRESHOLDS, "coverage": covered, "precision": precise})


def _left_out(tallies: Sequence[Tally]) -> Iterator[tuple[Tally, list[Tally]]]:
    for number, tally in enumerate(tallies):
        yield tally, [*tallies[:number], *tallies[number + 1 :]]


def _curve(tally: Tally, risks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flagged = risks[None] >= THRESHOLDS[:, None]
    voxels, errors = flagged @ tally.voxels, flagged @ tally.errors
    nothing = np.full(len(THRESHOLDS), np.nan)
    coverage = errors / tally.all_errors if tally.all_errors else nothing
    return coverage, np.divide(errors, voxels, out=nothing.copy(), where=voxels > 0)


def _median(curves: np.ndarray) -> np.ndarray:
    known = ~np.isnan(curves).all(axis=0)
    result = np.full(curves.shape[1], np.nan)
    result[known] = np.nanmedian(curves[:, known], axis=0)
    return result


def _lowest_that_reaches(curve: pd.DataFrame, precision: float) -> pd.Series:
    """The lowest threshold of that precision, which holds most of the errors; the most precise one where none is.

    Where the risk is nowhere worth a flag (the fused label was never wrong) it is the highest, without a precision.
    """
    known = curve.dropna(subset=["precision"])
    if known.empty:
        return curve.iloc[-1]
    reached = known[known["precision"] >= precision]
    return reached.iloc[0] if len(reached) else known.loc[known["precision"].idxmax()]


def risks_file(workspace: Workspace, model: str = "") -> Path:
    """Where a workspace keeps the tables of the cohort's models, or those of one model's own maps."""
    path = workspace.root / RISKS_FILE
    return path.with_name(f"{path.stem}-{safe_name(model)}{path.suffix}") if model else path


def write_risks(tables: Mapping[str, RiskTable], path: Path) -> None:
    """A table a region as JSON; the file appears whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps({region: asdict(table) for region, table in tables.items()}), encoding="utf-8")


def read_risks(path: Path) -> dict[str, RiskTable]:
    """What ``write_risks`` wrote; nothing where there is no file. Raises ReviewError where it cannot be read."""
    if not Path(path).is_file():
        return {}
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {region: RiskTable(**{**row, "risks": tuple(row["risks"])}) for region, row in content.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReviewError(f"{path}: no calibration of flags ({error}); evaluate the uncertainty again") from None

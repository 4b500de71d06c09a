"""What the cohort's uncertainty was found to be worth, as the evaluation left it in the workspace. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.workspace import Workspace

FOLDER, PAGE = "evaluation", "report.html"
CALIBRATED = "calibrated"
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SourceWorth:
    """One source of uncertainty in one region: its scores, what its flags hold, its curves.

    ``scores`` by name: qu_brats, aurc, ece, coverage, precision; what is not known is absent.
    """

    source: str
    cases: int
    scores: Mapping[str, float]
    reliability: Curve
    riskCoverage: Curve


@dataclass(frozen=True)
class Quality:
    """How well a case's Dice is predicted without a reference, judged by left-out cases."""

    cases: int
    rank: float
    pairwiseRank: float
    within: float


@dataclass(frozen=True)
class Worth:
    """The evaluation in one region."""

    sources: tuple[SourceWorth, ...]
    quality: Quality | None
    page: Path


def readWorth(workspace: Workspace, region: str) -> Worth | None:
    """What the last evaluation said about the region; None where nothing was evaluated."""
    folder = workspace.root / FOLDER
    if not (folder / PAGE).is_file():
        return None
    tables = {name: _table(folder, name, region) for name in ("sources", "flags", "reliability", "risk-coverage")}
    sources = tuple(_source(row, tables) for row in tables["sources"].itertuples(index=False))
    return Worth(sources, _quality(_table(folder, "quality-summary", region)), folder / PAGE)


def _table(folder: Path, name: str, region: str) -> pd.DataFrame:
    """The region's rows; none where the table was not written, as that of quality for few cases."""
    import pandas as pd

    path = folder / f"{name}.csv"
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_csv(path)
    return table[table["region"] == region]


def _source(row, tables: Mapping[str, pd.DataFrame]) -> SourceWorth:
    scores = {name: float(getattr(row, name)) for name in ("qu_brats", "aurc", "ece")}
    flags = tables["flags"]
    found = flags[(flags["source"] == row.source) & (flags["way"] == CALIBRATED)] if len(flags) else flags
    for flag in found.itertuples(index=False):
        scores |= {"coverage": float(flag.coverage), "precision": float(flag.precision)}
    reliability = _curve(tables["reliability"], row.source, "mean_probability", "observed")
    risk = _curve(tables["risk-coverage"], row.source, "coverage", "risk")
    return SourceWorth(row.source, int(row.cases), scores, reliability, risk)


def _curve(table: pd.DataFrame, source: str, x: str, y: str) -> Curve:
    if table.empty:
        return ()
    points = table[table["source"] == source][[x, y]].dropna()
    return tuple((float(a), float(b)) for a, b in points.itertuples(index=False))


def _quality(table: pd.DataFrame) -> Quality | None:
    if table.empty:
        return None
    row = table.iloc[0]
    return Quality(
        int(row["n"]),
        *(float(row[name]) for name in ("regression_rank", "pairwise_dice_rank", "within_interval")),
    )

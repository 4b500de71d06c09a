"""What the cohort's uncertainty was found to be worth, as the evaluation left it in the workspace. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.workspace import Workspace

PAGE = "report.html"
CALIBRATED = "calibrated"
KEPT = 8
SCORES = ("qu_brats", "aurc", "ece", "coverage", "precision", "rank_correlation")
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SourceWorth:
    """One source of uncertainty in one region: its scores, what its flags hold, its curves.

    ``scores`` by name, as ``SCORES``; what is not known is absent. Sources are compared on the same ``cases``, where
    there are some that all of them have; the curves are of each one's own.
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
    from BraTSRefineLib.cohort.file_state import file_state

    return _readWorth(workspace.evaluation, region, file_state(workspace.evaluation / PAGE))


@lru_cache(maxsize=KEPT)
def _readWorth(folder: Path, region: str, _state: tuple[int, int]) -> Worth | None:
    """Read once for all cases that are shown; ``_state`` is that of the page, which comes with each evaluation."""
    if not (folder / PAGE).is_file():
        return None
    names = ("sources", "compared", "flags", "reliability", "risk-coverage")
    tables = {name: _table(folder, name, region) for name in names}
    side = tables["compared"] if len(tables["compared"]) else _withFlags(tables["sources"], tables["flags"])
    sources = tuple(_source(row, tables) for row in side.itertuples(index=False))
    return Worth(sources, _quality(_table(folder, "quality-summary", region)), folder / PAGE)


def _table(folder: Path, name: str, region: str) -> pd.DataFrame:
    """The region's rows; none where the table was not written, as that of quality for few cases."""
    import pandas as pd

    path = folder / f"{name}.csv"
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_csv(path)
    return table[table["region"] == region]


def _withFlags(sources: pd.DataFrame, flags: pd.DataFrame) -> pd.DataFrame:
    """An evaluation of an older version, or one without a case that all sources have: each source by itself."""
    if sources.empty or flags.empty:
        return sources
    worth = flags.loc[flags["way"] == CALIBRATED, ["source", *(set(SCORES) & set(flags))]]
    return sources.merge(worth, how="left", on="source")


def _source(row, tables: Mapping[str, pd.DataFrame]) -> SourceWorth:
    scores = {name: float(getattr(row, name, math.nan)) for name in SCORES}
    scores = {name: value for name, value in scores.items() if math.isfinite(value)}
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

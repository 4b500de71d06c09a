"""What finished runs left in the workspace: scores, before and after, chosen cases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.workspace import Workspace


@dataclass(frozen=True)
class Change:
    """One case before and after a run."""

    case: str
    before: float
    after: float
    change: float

    @property
    def isKnown(self) -> bool:
        return math.isfinite(self.change)


@dataclass(frozen=True)
class ChosenCase:
    """A case that was chosen for annotation, and why."""

    rank: int
    case: str
    center: str
    uncertainty: float
    reason: str


def scoresWithRuns(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's scores and those of its finished runs; None where nothing was scored yet."""
    import pandas as pd

    from BraTSRefineLib.scoring import read_scores

    tables = [read_scores(workspace)] if workspace.scores_parquet.is_file() else []
    for path in sorted(workspace.runs.glob("*/outputs/scores.csv")):
        tables.append(_readScores(path))
    return pd.concat(tables, ignore_index=True) if tables else None


def _readScores(path: Path) -> pd.DataFrame:
    import pandas as pd

    names = {"case": str, "model": str}
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values={"value": [""]})


def runsWith(workspace: Workspace, output: str) -> list[str]:
    """Names of the finished runs that left that output, the newest first."""
    found = sorted(workspace.runs.glob(f"*/outputs/{output}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent.parent.name for path in found]


def changes(path: Path, region: str) -> list[Change]:
    """Dice (or agreement, where there is no reference) of a region before and after, the largest loss first."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"case": str})
    table = table[table["region"] == region]
    metric = "dice" if (table["metric"] == "dice").any() else "agreement"
    rows = table[table["metric"] == metric].sort_values("change", kind="stable", na_position="last")
    return [Change(r.case, r.before, r.after, r.change) for r in rows.itertuples(index=False)]


def chosen(path: Path) -> list[ChosenCase]:
    """The rows of a selection."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"case": str, "center": str, "reason": str}).fillna({"center": "", "reason": ""})
    return [
        ChosenCase(int(r.rank), r.case, r.center, float(r.uncertainty), r.reason) for r in table.itertuples(index=False)
    ]

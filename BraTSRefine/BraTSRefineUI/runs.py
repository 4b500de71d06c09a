"""What finished runs left in the workspace: scores, before and after."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
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
class ComparedRun:
    """A finished run that has a before and after; ``before`` names the model compared with, empty for all."""

    name: str
    model: str
    before: str = ""


def scoresWithRuns(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's scores and those of its finished runs; None where nothing was scored yet.

    Where several scored a model in a case, as when a prediction was continued, the newest one counts.
    """
    import pandas as pd

    from BraTSRefineLib.scoring import read_scores

    paths = [*workspace.runs.glob("*/outputs/scores.csv"), workspace.scores_parquet]
    paths = sorted((path for path in paths if path.is_file()), key=_age)
    tables = [read_scores(workspace) if path == workspace.scores_parquet else _readScores(path) for path in paths]
    return _newest(pd.concat(tables, ignore_index=True), [len(t) for t in tables]) if tables else None


def _newest(scores: pd.DataFrame, lengths: list[int]) -> pd.DataFrame:
    """The rows of each case and model that come from the last table that knows them; the order stays."""
    import numpy as np

    table = np.repeat(np.arange(len(lengths)), lengths)
    last = scores.assign(table=table).groupby(["case", "model"], sort=False)["table"].transform("max")
    return scores[(last == table).to_numpy()].reset_index(drop=True)


def _age(path: Path) -> tuple[int, Path]:
    return path.stat().st_mtime_ns, path


def _readScores(path: Path) -> pd.DataFrame:
    import pandas as pd

    names = {"case": str, "model": str}
    return pd.read_csv(path, dtype=names, keep_default_na=False, na_values={"value": [""]})


def runsWith(workspace: Workspace, output: str) -> list[str]:
    """Names of the finished runs that left that output, the newest first."""
    found = sorted(workspace.runs.glob(f"*/outputs/{output}"), key=_age, reverse=True)
    return [path.parent.parent.name for path in found]


def comparedRuns(workspace: Workspace) -> list[ComparedRun]:
    """The finished runs that have a before and after, the newest first."""
    from BraTSRefineLib.jobs.record import EVENTS

    told = [workspace.run(name) / EVENTS for name in runsWith(workspace, "before_after.csv")]
    return [_compared(path.parent, path.stat().st_size if path.is_file() else 0) for path in told]


@lru_cache(maxsize=256)
def _compared(folder: Path, _size: int) -> ComparedRun:
    """A run's model is named like it, except where it says otherwise in its summary.

    ``_size`` is that of its events: a night's prediction leaves 100,000, which are read again only if there are more.
    """
    from BraTSRefineLib import jobs

    last = next(reversed(jobs.events(folder)), {})
    try:
        parameters = json.loads((folder / "job.json").read_text(encoding="utf-8"))["parameters"]
    except (OSError, ValueError, KeyError):
        parameters = {}  # the run's results are there all the same
    model = last.get("summary", {}).get("model", folder.name)
    return ComparedRun(folder.name, model, parameters.get("before") or "")


def changes(path: Path, region: str) -> list[Change]:
    """Dice (or agreement, where there is no reference) of a region before and after, the largest loss first."""
    import pandas as pd

    table = pd.read_csv(path, dtype={"case": str})
    table = table[table["region"] == region]
    metric = "dice" if (table["metric"] == "dice").any() else "agreement"
    rows = table[table["metric"] == metric].sort_values("change", kind="stable", na_position="last")
    return [Change(r.case, r.before, r.after, r.change) for r in rows.itertuples(index=False)]

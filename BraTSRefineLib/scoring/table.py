"""The table of scores: its columns, its files in the workspace, and its wide form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ..cohort.workspace import Workspace, write_json, written_whole
from ..regions import SCORED_REGIONS
from .conventions import CONVENTIONS, ScoringError, explain_convention
from .instances import INSTANCE_WORDS
from .lesion_presets import PRESETS, explain_lesion_preset

VERSION = 2
"""Of the tables in a workspace: 2 has every metric of ``METRICS`` and says its conventions in ``scores.json``."""

SCORE_COLUMNS = ("case", "model", "region", "metric", "value", "status", "convention")
CONSENSUS = " vs consensus of the others"
"""Ends the ``convention`` of a number that was taken against the other models for want of a reference."""

Row = tuple[str, str, str, str, float, str, str]


def score_table(rows: list[Row]) -> pd.DataFrame:
    """The rows as a table of the seven columns; ``value`` is float, the others text."""
    return _typed(pd.DataFrame(rows, columns=list(SCORE_COLUMNS)))


def _typed(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.astype({column: float if column == "value" else str for column in SCORE_COLUMNS})


def write_scores(scores: pd.DataFrame, workspace: Workspace) -> None:
    """Write ``scores.csv`` and ``scores.parquet``, each whole or not at all; the same table gives the same bytes.

    ``scores.json`` beside them says which conventions the numbers follow, in words.

    Raises ScoringError where ``scores`` is no table of scores, WorkspaceError where it cannot be written.
    """
    _check_columns(scores, workspace.root)
    with written_whole(workspace.scores_csv) as temporary:
        scores.to_csv(temporary, index=False, lineterminator="\n")
    write_json(workspace.scores_json, _about(scores))
    with written_whole(workspace.scores_parquet) as temporary:
        scores.to_parquet(temporary, index=False)


def _about(scores: pd.DataFrame) -> dict[str, object]:
    words: dict[str, dict[str, None]] = {}
    for metric, convention in scores[["metric", "convention"]].drop_duplicates().itertuples(index=False):
        name = convention.removesuffix(CONSENSUS)
        words.setdefault(name, {})[_in_words(name, metric)] = None
    return {
        "version": VERSION,
        "conventions": {name: "\n".join(said) for name, said in words.items()},
        "metrics": [name for name in scores["metric"].unique() if name],
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _in_words(convention: str, metric: str) -> str:
    """What a name means for a metric: challenges give theirs to rules for lesions too, panoptica to its instances."""
    if metric.startswith("lesion") and convention in PRESETS:
        return explain_lesion_preset(convention)
    if metric.endswith("_quality"):
        return INSTANCE_WORDS
    return explain_convention(convention) if convention in CONVENTIONS else ""


def scored_how(workspace: Workspace) -> dict[str, Any]:
    """What ``scores.json`` tells: ``version``, ``conventions``, ``metrics``; of tables that had none, version 1 alone.

    Raises ScoringError where it is damaged.
    """
    try:
        about = json.loads(workspace.scores_json.read_text(encoding="utf-8"))
        return about | {"version": int(about["version"])}
    except FileNotFoundError:
        return {"version": 1}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoringError(f"{workspace.scores_json}: damaged ({error!r}); score the cohort again") from None


def scores_version(workspace: Workspace) -> int:
    """Which version of this software's tables the workspace holds; 1 is the one that had no ``scores.json``."""
    return scored_how(workspace)["version"]


def read_scores(workspace: Workspace) -> pd.DataFrame:
    """The workspace's scores, from the parquet file or, without it, from the csv.

    Raises ScoringError where there are none, the file is damaged, or it is of another version.
    """
    path = workspace.scores_parquet if workspace.scores_parquet.is_file() else workspace.scores_csv
    if not path.is_file():
        raise ScoringError(f"{workspace.root}: no scores yet; run bratsrefine score with this --workspace first")
    try:
        scores = pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, ValueError) as error:
        raise ScoringError(f"{path}: not readable ({error}); delete it and score the cohort again") from error
    _check_columns(scores, path)
    _check_version(workspace, path)
    return _typed(scores)


def scored_convention(workspace: Workspace) -> str:
    """The convention by which the workspace was scored; empty where it is not known."""
    known = scored_how(workspace).get("conventions", {})
    return next((name for name in known if name in CONVENTIONS), "")


def _check_version(workspace: Workspace, path: Path) -> None:
    version = scores_version(workspace)
    if version != VERSION:
        age = "an older" if version < VERSION else "a newer"
        raise ScoringError(f"{path}: scores of {age} version ({version}, this is {VERSION}); score the cohort again")


def wide(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """One metric as a table (case, model) x region, in the order of ``scores``; without what was not scored."""
    chosen = scores[(scores["metric"] == metric) & (scores["metric"] != "")]
    table = chosen.pivot(index=["case", "model"], columns="region", values="value")
    order = pd.MultiIndex.from_frame(chosen[["case", "model"]].drop_duplicates())
    return table.reindex(index=order, columns=[region for region in SCORED_REGIONS if region in table.columns])


def _read_csv(path: Path) -> pd.DataFrame:
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    return text.assign(value=pd.to_numeric(text["value"])) if "value" in text else text


def _check_columns(scores: pd.DataFrame, where: Path) -> None:
    if tuple(scores.columns) != SCORE_COLUMNS:
        found, expected = ", ".join(map(str, scores.columns)), ", ".join(SCORE_COLUMNS)
        raise ScoringError(
            f"{where}: not a table of scores of this version (columns {found}; expected {expected}); "
            "score the cohort again"
        )

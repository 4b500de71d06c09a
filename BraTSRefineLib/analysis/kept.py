"""What a report takes from a workspace instead of finding it anew: the findings, and the table of lesions."""

from __future__ import annotations

import pandas as pd

from ..cohort import Cohort, Workspace
from .findings import FINDING_COLUMNS, findings
from .lesion_file import read_lesions


def kept_findings(cohort: Cohort, scores: pd.DataFrame, workspace: Workspace) -> pd.DataFrame:
    """The workspace's findings where they are as new as its scores, else found anew."""
    kept, scored = workspace.findings_csv, workspace.scores_parquet
    if kept.is_file() and scored.is_file() and kept.stat().st_mtime >= scored.stat().st_mtime:
        table = pd.read_csv(kept, dtype=str, keep_default_na=False)
        if set(FINDING_COLUMNS) <= set(table.columns):
            return table
    return findings(cohort, scores)


def kept_lesions(workspace: Workspace) -> pd.DataFrame | None:
    """The workspace's table of lesions; None where the cohort was scored without it.

    Raises AnalysisError for a table that is damaged or of another version.
    """
    there = workspace.lesions_parquet.is_file() or workspace.lesions_csv.is_file()
    return read_lesions(workspace) if there else None

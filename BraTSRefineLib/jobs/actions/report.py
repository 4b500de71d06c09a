"""Write the cohort's report."""

from __future__ import annotations

from ...analysis import write_report
from ...scoring import read_scores
from ..context import Context
from ..description import JobError


def run(context: Context) -> dict[str, object]:
    """``report.html`` of the workspace, from its scores. Raises JobError where there are none."""
    if not context.workspace.scores_parquet.is_file():
        raise JobError(f"{context.workspace.scores_parquet}: there are no scores yet; run the score job first")
    path = write_report(context.cohort(), read_scores(context.workspace), context.workspace)
    return {"report": str(path)}

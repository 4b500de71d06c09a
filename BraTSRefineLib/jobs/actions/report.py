"""Write the cohort's report."""

from __future__ import annotations

from ...analysis import write_report
from ...scoring import read_scores
from ..context import Context
from ..description import JobError


def run(context: Context) -> dict[str, object]:
    """The report of the workspace from its scores: page, text and tables. Raises JobError where there are no scores."""
    workspace = context.workspace
    if not workspace.scores_parquet.is_file():
        raise JobError(f"{workspace.scores_parquet}: there are no scores yet; run the score job first")
    scores = read_scores(workspace)
    write_report(context.cohort(), scores, context.staged, progress=context.progress, inputs=workspace)
    return {
        "report": str(workspace.report_html),
        "text": str(workspace.report_md),
        "tables": str(workspace.report_tables),
    }

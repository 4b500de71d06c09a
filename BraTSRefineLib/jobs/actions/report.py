"""Write the cohort's report."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...analysis import write_report
from ...scoring import read_scores
from ..context import Context
from ..description import JobError


def run(context: Context) -> dict[str, object]:
    """``report.html`` of the workspace, from its scores. Raises JobError where there are none."""
    workspace, staged = context.workspace, context.staged
    if not workspace.scores_parquet.is_file():
        raise JobError(f"{workspace.scores_parquet}: there are no scores yet; run the score job first")
    lent = _lend_findings(context)
    write_report(context.cohort(), read_scores(workspace), staged, progress=context.progress)
    for path in lent:
        path.unlink()
    return {"report": str(workspace.report_html)}


def _lend_findings(context: Context) -> list[Path]:
    """The findings, where there are any, beside the place of the new report, which spares it from finding them anew."""
    workspace, staged = context.workspace, context.staged
    pairs = [(workspace.scores_parquet, staged.scores_parquet), (workspace.findings_csv, staged.findings_csv)]
    if not workspace.findings_csv.is_file():
        return []
    staged.root.mkdir(parents=True)
    return [shutil.copy2(source, copy) for source, copy in pairs]

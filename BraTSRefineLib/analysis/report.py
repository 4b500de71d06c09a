"""The report: one HTML file that says, shows and explains, and needs no connection; its tables as files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from ..cohort import Cohort, Workspace, written_whole
from .about_section import about_section
from .case_table import cases_section
from .center_section import center_section
from .comparison_section import comparison_section
from .contents import Contents, Progress
from .document import Plot, ReportTable, Section
from .export import write_tables
from .headline import headline, serious
from .kept import kept_findings, kept_lesions
from .lesion_section import lesion_section
from .markdown import markdown
from .metric_section import calibration_section, metric_section
from .metrics import higher_is_better
from .page import page
from .plot_size import size_against_dice
from .plot_spread import distribution
from .problem_section import findings_section, problems_section
from .software import versions
from .strata_section import strata_section
from .worst_list import worst_section

PLOTTED = ("dice", "hd95_mm")


def write_report(
    cohort: Cohort,
    scores: pd.DataFrame,
    workspace: Workspace,
    *,
    metric: str = "dice",
    worst: int = 20,
    progress: Progress | None = None,
    inputs: Workspace | None = None,
) -> Path:
    """Write ``report.html``, ``report.md`` and the tables of ``report/`` into the workspace; gives the page's path.

    Each file is written whole or not at all, the page last. The ``worst`` predictions are those with the worst mean
    of ``metric`` over the regions. Findings and lesions are taken from ``inputs`` (else ``workspace``); findings that
    are older than the scores are found anew. Cohorts without references, predictions or images give the report of
    what they have. ``progress(done, total, case)`` follows the pictures.
    Raises AnalysisError for a metric that is not known or has no direction and for scores that may not be compared,
    WorkspaceError where it cannot be written.
    """
    higher_is_better(metric)
    kept = inputs or workspace
    found, lesions = kept_findings(cohort, scores, kept), kept_lesions(kept)
    contents = Contents(cohort, scores, found, metric, worst, progress, lesions).with_local_paths()
    sections = _in_order(list(_sections(contents)), contents)
    write_tables(_tables(sections), workspace.report_tables)
    title, summary = f"BraTSRefine: {contents.cohort.root.name}", headline(contents)
    made = f"Made {datetime.now():%Y-%m-%d %H:%M} with {versions()}."
    folder, footer = workspace.report_tables.name, f"{made} For research use only."
    _write(workspace.report_tables / "README.txt", f"{title}, the tables of the report. {footer}\n")
    _write(workspace.report_md, markdown(title, summary, sections, folder, footer))
    _write(workspace.report_html, page(title, summary, sections, folder, made))
    return workspace.report_html


def _sections(contents: Contents) -> Iterator[Section]:
    yield worst_section(contents)
    yield lesion_section(contents)
    yield _spread(contents)
    yield strata_section(contents)
    yield center_section(contents)
    yield comparison_section(contents)
    yield calibration_section(contents)
    yield findings_section(contents)
    yield cases_section(contents)
    yield metric_section(contents)
    yield problems_section(contents)
    yield about_section(contents)


def _in_order(sections: list[Section], contents: Contents) -> list[Section]:
    """Sections that have something to say; the findings first where they may spoil every number."""
    filled = [section for section in sections if section.parts]
    return sorted(filled, key=lambda section: section.name != "findings") if len(serious(contents)) else filled


def _spread(contents: Contents) -> Section:
    plots: list[Plot | None] = [
        *(distribution(contents, name) for name in dict.fromkeys([contents.metric, *PLOTTED])),
        size_against_dice(contents),
    ]
    return Section("spread", "Distributions", tuple(plot for plot in plots if plot is not None))


def _tables(sections: list[Section]) -> list[ReportTable]:
    return [table for section in sections for table in section.tables]


def _write(path: Path, text: str) -> None:
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")

"""The report: one HTML file that says, shows and explains, and needs no connection."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pandas as pd

from ..cohort import Cohort, Workspace, written_whole
from ..scoring import CONSENSUS
from .contents import Contents, Progress
from .findings import FINDING_COLUMNS, findings
from .headline import headline
from .markup import Html, element, joined
from .metrics import higher_is_better, metric_name
from .plots import colour_script, distribution, plotly_script
from .ranking import worst_on_average
from .sections import facts, findings_list, problems_list, strata_tables, versions
from .worst_list import gallery, worst_table

PLOTTED = ("dice", "hd95_mm")
SECTIONS = {
    "worst": "Worst cases",
    "spread": "Distributions",
    "strata": "Strata",
    "findings": "Findings",
    "problems": "Problems",
    "about": "About the numbers",
}


def write_report(
    cohort: Cohort,
    scores: pd.DataFrame,
    workspace: Workspace,
    *,
    metric: str = "dice",
    worst: int = 20,
    progress: Progress | None = None,
) -> Path:
    """Write ``report.html`` into the workspace, whole or not at all, and give its path.

    The ``worst`` predictions are those with the worst mean of ``metric`` over the regions. The findings are taken
    from the workspace where they are as new as the scores, else found anew. Cohorts without references, predictions
    or images give the report of what they have. ``progress(done, total, case)`` follows the pictures.
    Raises AnalysisError for a metric that is not known or has no direction, WorkspaceError where it cannot be written.
    """
    higher_is_better(metric)
    found = _findings(cohort, scores, workspace)
    contents = Contents(cohort, scores, found, metric, worst, progress).with_local_paths()
    bodies = {
        "worst": _worst(contents),
        "spread": _spread(contents),
        "strata": strata_tables(contents),
        "findings": findings_list(contents),
        "problems": problems_list(contents),
        "about": facts(contents),
    }
    with written_whole(workspace.report_html) as temporary:
        temporary.write_text(_page(contents, bodies), encoding="utf-8")
    return workspace.report_html


def _findings(cohort: Cohort, scores: pd.DataFrame, workspace: Workspace) -> pd.DataFrame:
    kept, scored = workspace.findings_csv, workspace.scores_parquet
    if kept.is_file() and scored.is_file() and kept.stat().st_mtime >= scored.stat().st_mtime:
        table = pd.read_csv(kept, dtype=str, keep_default_na=False)
        if set(FINDING_COLUMNS) <= set(table.columns):
            return table
    return findings(cohort, scores)


def _worst(contents: Contents) -> Html:
    ranked = worst_on_average(contents.scores, metric=contents.metric, worst=contents.worst)
    if ranked.empty:
        return joined(_legend("No prediction was scored. ", "reference"), gallery(contents))
    predictions = contents.scored.groupby(["case", "model"]).ngroups
    conventions = list(dict.fromkeys(ranked["convention"]))
    truths = dict.fromkeys("consensus of the others" if c.endswith(CONSENSUS) else "reference" for c in conventions)
    ordered = (
        f"The {len(ranked)} worst of {predictions} predictions, by the mean {metric_name(contents.metric)} over the "
        f"regions ({', '.join(conventions)}). Slices go through the largest error of the region that is worst. "
    )
    return joined(_legend(ordered, " or ".join(truths), "prediction"), worst_table(contents, ranked))


def _legend(text: str, *outlines: str) -> Html:
    """``outlines`` names what the blue line is and, where there is one, the orange one."""
    lines = [element("i", "", class_=f"line {name}") for name in ("reference", "prediction")]
    named = [joined(line, f" {name}. ") for line, name in zip(lines, outlines, strict=False)]
    held = "Axial, coronal, sagittal: nose and head up, the patient's left on the right."
    return element("p", text, *named, held, class_="quiet")


def _spread(contents: Contents) -> Html:
    plots = [distribution(contents.scores, name) for name in dict.fromkeys([contents.metric, *PLOTTED])]
    if not any(plots):
        return element("p", "No prediction was scored.", class_="quiet")
    boxes = [element("div", plot, class_="plot") for plot in plots if plot]
    return joined(plotly_script(), *boxes, colour_script())


def _page(contents: Contents, bodies: dict[str, Html]) -> str:
    title = f"BraTSRefine: {contents.cohort.root.name}"
    sentences = headline(contents)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html((files(__package__) / "report.css").read_text(encoding="utf-8"))),
    )
    titles = SECTIONS if len(contents.scored) else SECTIONS | {"worst": "Cases"}
    links = [element("a", titles[name], href=f"#{name}") for name in bodies]
    header = element("header", element("strong", title), element("nav", *links), _research_only())
    summary = element(
        "section", element("h1", sentences[0]), *(element("p", s) for s in sentences[1:]), class_="summary"
    )
    sections = [element("section", element("h2", titles[name]), body, id=name) for name, body in bodies.items()]
    footer = element("footer", f"Made {datetime.now():%Y-%m-%d %H:%M} with {versions()}. ", _research_only())
    body = element("body", header, element("main", summary, *sections), footer)
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def _research_only() -> Html:
    return element("span", "For research use only", class_="research")

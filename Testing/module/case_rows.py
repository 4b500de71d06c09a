"""Cohorts of a few numbers for the table and the plots: rows and scores, no files."""

from __future__ import annotations

from collections.abc import Mapping

MODEL = "model"


def scores_of(metrics: Mapping[str, Mapping[str, float | None]], region: str = "ET", model: str = MODEL):
    """The long table of scores of a metric's value by case; None is no number."""
    from BraTSRefineLib.scoring.table import score_table

    rows = [
        (case, model, region, metric, float("nan") if value is None else value, "ok", "plain")
        for metric, values in metrics.items()
        for case, value in values.items()
    ]
    return score_table(rows)


def cohort_of(dice, size=None, centers=None, decisions=None, **metrics):
    """The columns of such a cohort, as the session makes them."""
    from BraTSRefineUI.casecolumns import CaseColumns
    from BraTSRefineUI.tables import CaseRow

    named = {"dice": dice, **({"volume_reference_ml": size} if size else {}), **metrics}
    rows = [
        CaseRow(
            case,
            (centers or {}).get(case, ""),
            {name: values[case] for name, values in named.items() if values.get(case) is not None},
            "ok",
        )
        for case in dice
    ]
    return CaseColumns(rows, scores_of(named), MODEL, "ET", decisions)

"""The report's table of every prediction: to find a case again, to sort, and to take along."""

from __future__ import annotations

import pandas as pd

from .contents import Contents
from .document import ReportTable, Section
from .metrics import badness, metric_name

FIGURES = ("dice", "hd95_mm", "volume_reference_ml")
MOST_ROWS = 300
SHORT = {"dice": "Dice", "hd95_mm": "HD95", "volume_reference_ml": "ml"}


def cases_section(contents: Contents) -> Section:
    """A row a prediction and a column a figure and region; the page shows the worst of very many."""
    frame = predictions(contents)
    if frame.empty:
        return Section("cases", "Predictions", ())
    headings = {
        f"{region}_{metric}": f"{region} {SHORT.get(metric, metric_name(metric))}"
        for region in contents.regions
        for metric in _metrics(contents)
    }
    title = f"{len(frame)} predictions, the worst mean {metric_name(contents.metric)} first"
    table = ReportTable("predictions", title, frame, contents.convention_note, headings, rows=MOST_ROWS, folded=True)
    return Section("cases", "Predictions", (table,))


def _metrics(contents: Contents) -> list[str]:
    return list(dict.fromkeys([contents.metric, *FIGURES]))


def predictions(contents: Contents) -> pd.DataFrame:
    """Case, model, centre, the mean over the regions, and ``<region>_<metric>``; the worst first."""
    keys = ["case", "model"]
    metrics = _metrics(contents)
    rows = contents.scores[contents.scores["metric"].isin(metrics) & (contents.scores["model"] != "")]
    rows = rows.drop_duplicates([*keys, "region", "metric"])
    if rows.empty:
        return pd.DataFrame()
    wide = rows.set_index([*keys, "region", "metric"])["value"].unstack(["region", "metric"])
    wanted = [(region, metric) for region in contents.regions for metric in metrics if (region, metric) in wide.columns]
    wide = wide[wanted].set_axis([f"{region}_{metric}" for region, metric in wanted], axis=1)
    ranked = contents.values(contents.metric)
    ranked = ranked.assign(badness=badness(ranked["value"], contents.metric))
    means = ranked.groupby(keys)[["value", "badness"]].mean().rename(columns={"value": f"mean_{contents.metric}"})
    convention = rows.groupby(keys)["convention"].first()
    table = means.join(wide, how="right").join(convention).reset_index()
    table.insert(2, "center", table["case"].map(contents.center_of))
    table = table.sort_values(["badness", *keys], ascending=[False, True, True], kind="stable", na_position="last")
    return table.drop(columns="badness").reset_index(drop=True)

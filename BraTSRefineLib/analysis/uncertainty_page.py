"""The page that says whether the uncertainty is worth anything: tables, reliability diagrams, risk-coverage curves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from ..cohort import written_whole
from .document import Part, Plot, ReportTable, Section
from .export import write_tables
from .page import page
from .plots import GUIDE, base_layout, group_style, names, numbers, region_colour, region_label, share_axis
from .software import versions

PAGE = "report.html"
DIAGONAL = {"type": "line", "xref": "x", "yref": "y", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": GUIDE}
HEADINGS = {
    "qu_brats": "QU-BraTS",
    "qu_brats_dice_auc": "Dice AUC",
    "qu_brats_ftp_auc": "FTP AUC",
    "qu_brats_ftn_auc": "FTN AUC",
    "aurc": "AURC",
    "e_aurc": "E-AURC",
    "ece": "ECE",
    "ece_before": "ECE before",
    "ece_after": "ECE after",
    "brier": "Brier",
    "nll": "NLL",
    "nll_before": "NLL before",
    "nll_after": "NLL after",
    "temperature": "T",
}
FLAG_CAPTION = (
    "Medians over the cases. Coverage: share of the fused label's errors that lies in a flag; precision: share of what "
    "is flagged that is wrong. Calibrated flags are cut at a risk that was learnt on the other cases alone. What they "
    "lose without the rim, within 1 mm of the fused surface, is error of the outline."
)
QUALITY_CAPTION = (
    "Rank correlation (Spearman) with the true Dice of the fused label: of the mean Dice between the members, and of "
    "the regression, each case judged by one of the others. The interval is meant to hold nine of ten cases."
)
SOURCE_CAPTION = (
    "Means over each source's own cases, within 10 mm of the reference or the prediction (and in the brain where "
    "images show it). QU-BraTS higher is better; AURC, E-AURC, ECE and Brier lower."
)
COMPARED_CAPTION = (
    "The same on the cases that all sources have. Coverage, precision and the rank correlation, of the flags' order "
    "with the errors that each holds, are medians of the calibrated flags; Dice is that of a source's own fused label."
)
TEMPERATURE_CAPTION = (
    "T is of all cases, after averaging; ECE and NLL after it are of cases scaled by the T of the others."
)


def write_uncertainty_page(title: str, tables: Mapping[str, pd.DataFrame], cases: int, folder: Path) -> Path:
    """Write each of ``tables`` as a CSV and ``report.html`` into the folder, the page last; gives the page's path.

    The names of the tables are those that the ``evaluate`` job gives. Raises WorkspaceError where it cannot be written.
    """
    sections = [section for section in _sections(tables) if section.parts]
    write_tables([ReportTable(name, name, frame) for name, frame in tables.items()], folder)
    summary = ["Is the uncertainty worth anything?", f"{cases} cases with a reference.", *_findings(tables)]
    made = f"Made {datetime.now():%Y-%m-%d %H:%M} with {versions()}."
    with written_whole(folder / PAGE) as temporary:
        temporary.write_text(page(title, summary, sections, ".", made), encoding="utf-8")
    return folder / PAGE


def _findings(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """What stands in the tables of flags and quality, in words."""
    flags, found = tables["flags"], []
    for row in flags[flags["way"] == "calibrated"].itertuples():
        found.append(
            f"{row.region}: calibrated flags of {row.source} hold {row.coverage:.0%} of the errors "
            f"at a precision of {row.precision:.2f}."
        )
    if "quality-summary" in tables:
        mean = tables["quality-summary"].iloc[-1]
        found.append(
            f"Rank correlation with the true Dice: {mean['regression_rank']:.2f} predicted, "
            f"{mean['pairwise_dice_rank']:.2f} by pairwise Dice alone."
        )
    return found


def _sections(tables: Mapping[str, pd.DataFrame]) -> list[Section]:
    return [
        Section(
            "flags", "Flags", (_table(tables, "flags", "Are flags worth a minute?", FLAG_CAPTION), *_curve(tables))
        ),
        Section("quality", "Quality without a reference", _quality(tables)),
        Section(
            "sources",
            "Maps",
            (
                _table(tables, "compared", "Source against source", COMPARED_CAPTION),
                _table(tables, "sources", "Source by source", SOURCE_CAPTION),
                *_reliability(tables),
                *_risks(tables),
            ),
        ),
        Section("temperature", "Temperature", (_table(tables, "temperature", "Scaling", TEMPERATURE_CAPTION),)),
    ]


def _table(tables: Mapping[str, pd.DataFrame], name: str, title: str, caption: str) -> ReportTable:
    return ReportTable(name, title, tables[name], caption, HEADINGS)


def _quality(tables: Mapping[str, pd.DataFrame]) -> tuple[Part, ...]:
    if "quality" not in tables:
        return ()
    summary = _table(tables, "quality-summary", "Predicted against true Dice", QUALITY_CAPTION)
    judged = tables["quality"].dropna(subset=["dice", "predicted"])
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": region_label(region),
            "x": numbers(group["predicted"]),
            "y": numbers(group["dice"]),
            "text": names(group["case"]),
            "marker": {"color": region_colour(region), "size": 9},
        }
        for region, group in judged.groupby("region", sort=False)
    ]
    layout = base_layout(xaxis=share_axis("Predicted Dice"), yaxis=share_axis("True Dice"), shapes=[DIAGONAL])
    plot = Plot("quality", tuple(traces), layout, "A point a case; on the dotted line the prediction is right.")
    return summary, plot, _table(tables, "quality", "Case by case", "Low and high are the conformal interval's ends.")


def _curve(tables: Mapping[str, pd.DataFrame]) -> tuple[Plot, ...]:
    frame = tables["flag-curve"].dropna()
    caption = (
        "Coverage and precision of voxels at every threshold, each case judged by the others. Up and right is good."
    )
    return _lines(frame, "flag-curve", ("coverage", "precision"), ("Coverage", "Precision"), caption)


def _reliability(tables: Mapping[str, pd.DataFrame]) -> tuple[Plot, ...]:
    frame = tables["reliability"].dropna()
    caption = "Reliability: on the dotted line a probability is met as often as it says. Bins of 1/15."
    axes = ("mean_probability", "observed")
    return _lines(frame, "reliability", axes, ("Mean probability", "Observed"), caption, diagonal=True)


def _risks(tables: Mapping[str, pd.DataFrame]) -> tuple[Plot, ...]:
    caption = "Share of wrong voxels among the surest ones, as more are kept. Lower is better."
    return _lines(tables["risk-coverage"], "risk-coverage", ("coverage", "risk"), ("Coverage", "Risk"), caption)


def _lines(
    frame: pd.DataFrame,
    name: str,
    columns: tuple[str, str],
    titles: tuple[str, str],
    caption: str,
    *,
    diagonal: bool = False,
) -> tuple[Plot, ...]:
    """One line a source, the reader chooses the region; nothing where there are no points."""
    if frame.empty:
        return ()
    regions, sources = (list(dict.fromkeys(frame[column])) for column in ("region", "source"))
    traces = []
    for (source, region), group in frame.groupby(["source", "region"], sort=False):
        style = {"color": group_style(sources.index(source))["color"]}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(group) < 20 else "lines",
                "name": names([source])[0],
                "meta": region,
                "visible": region == regions[0],
                "x": numbers(group[columns[0]]),
                "y": numbers(group[columns[1]]),
                "line": style,
                "marker": style,
            }
        )
    axes = {"xaxis": share_axis(titles[0]), "yaxis": {"title": {"text": titles[1]}, "rangemode": "tozero"}}
    layout = base_layout(**axes, shapes=[DIAGONAL] if diagonal else [])
    return (Plot(name, tuple(traces), layout, caption, views=tuple(regions)),)

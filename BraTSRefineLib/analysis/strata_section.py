"""The report's strata: by region, size, centre, both, and every attribute that the manifest tells of the cases."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from .cells import number, region_title
from .contents import Contents
from .document import Part, ReportTable, Section
from .factors import known_factors
from .markup import Html, element, joined, table
from .metrics import FAILED_ABOVE_HD95_MM, is_share, magnitude, metric_name
from .strata import FEW, strata
from .trend import size_trend

MANY_MODELS = 7
WORTH_QUARTILES = 3
MOST_STRATA = 12
"""An attribute with more values than this is a name, not a stratum."""

MOST_CENTERS = 20
"""Of more centres than this the two-way table would be all empty cells."""


def strata_section(contents: Contents) -> Section:
    """Median, number of cases and failures in each stratum; a column a model."""
    parts: list[Part] = [_how_to_read(contents)]
    if len(contents.scored):
        by_region = _of(contents, "region")
        parts.append(ReportTable("strata-region", "By region", by_region, view=_heat(by_region, contents.metric)))
    parts += _by(contents, "size", "By size", "Size is the reference's volume of the region itself.")
    parts += _trend(contents)
    several = len(contents.cohort.centers) > 1
    if several:
        parts += _by(contents, "center", "By centre", "Not adjusted for size.")
    if several and len(contents.cohort.centers) <= MOST_CENTERS and len(contents.scored):
        parts.append(_two_way(contents))
    for attribute in _attributes(contents):
        parts += _by(contents, attribute, f"By {attribute}", folded=True, most=MOST_STRATA)
    return Section("strata", "Strata", tuple(parts))


def _how_to_read(contents: Contents) -> str:
    if contents.scored.empty:
        return "No prediction was scored; n counts the cases."
    return (
        f"Each cell: median {metric_name(contents.metric)}, quartiles, number of cases, and how many failed: Dice "
        f"below 0.5, a region missed altogether, or HD95 above {FAILED_ABOVE_HD95_MM:g} mm. Pale cells hold fewer than "
        f"{FEW} cases: read them with care. The files add the mean, the 95 % interval of the median and each kind of "
        f"failure. {contents.convention_note}"
    )


def _by(
    contents: Contents, factor: str, title: str, caption: str = "", folded: bool = False, most: int | None = None
) -> list[ReportTable]:
    """None where there are no strata, or, with ``most``, only one of them or more than that."""
    found = _of(contents, factor)
    if found.empty or (most and not 1 < found["stratum"].nunique() <= most):
        return []
    view = joined(*_each_region(found, lambda rows: _heat(rows, contents.metric)))
    return [ReportTable(f"strata-{_file_name(factor)}", title, found, caption, view=view, folded=folded)]


def _of(contents: Contents, factor: str | tuple[str, str]) -> pd.DataFrame:
    """The strata of every region one after the other."""
    regions = ["WT"] if factor == "region" else contents.regions
    tables = [
        strata(contents.figures, contents.cohort, by=factor, metric=contents.metric, region=region)
        for region in regions
    ]
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if found.empty:
        return found
    return found if isinstance(factor, tuple) else found.drop(columns="second")


def _file_name(factor: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in factor)


def _attributes(contents: Contents) -> list[str]:
    """What the manifest tells of the scored cases."""
    told = [name for name in known_factors(contents.cohort) if name not in ("size", "center", "region")]
    return told if len(contents.scored) else []


def _trend(contents: Contents) -> list[ReportTable]:
    if contents.scored.empty:
        return []
    caption = (
        "Rank correlation of Dice with the reference's volume among cases that have the region: above 0, small ones "
        "are segmented worse. q adjusts Kendall's p over all rows (Benjamini-Hochberg)."
    )
    return [ReportTable("size-trend", "Size and Dice", size_trend(contents.figures), caption)]


def _two_way(contents: Contents) -> ReportTable:
    found = _of(contents, ("size", "center"))
    caption = "Rows: size of the region and model; columns: centres."
    view = joined(*_each_region(found, lambda rows: _two_way_heat(rows, contents.metric)))
    return ReportTable("strata-size-center", "By size and centre", found, caption, view=view, folded=True)


def _each_region(found: pd.DataFrame, drawn: Callable[[pd.DataFrame], Html]) -> list[Html]:
    parts = []
    for region, rows in found.groupby("region", sort=False):
        parts += [element("h4", f"{region_title(region)} ({region})"), drawn(rows)]
    return parts


def _heat(found: pd.DataFrame, metric: str) -> Html:
    """Strata in rows and models in columns, or the other way round where the models are many."""
    scored = found[found["model"] != ""]
    found = scored if len(scored) else found
    if found.empty:
        return element("p", "Nothing to compare.", class_="quiet")
    places, models = list(dict.fromkeys(found["stratum"])), sorted(set(found["model"]))
    by_place = {(row.stratum, row.model): row for row in found.itertuples(index=False)}
    if len(models) > MANY_MODELS:
        rows = [(model, [by_place.get((place, model)) for place in places]) for model in models]
        return _heat_table(places, rows, found, metric)
    rows = [(place, [by_place.get((place, model)) for model in models]) for place in places]
    return _heat_table([model or "cases" for model in models], rows, found, metric)


def _two_way_heat(found: pd.DataFrame, metric: str) -> Html:
    found = found[found["model"] != ""]
    lines = list(dict.fromkeys(zip(found["stratum"], found["model"], strict=True)))
    columns = list(dict.fromkeys(found.sort_values("second", kind="stable")["second"]))
    by_place = {(row.stratum, row.model, row.second): row for row in found.itertuples(index=False)}
    one_model = found["model"].nunique() < 2
    rows = [
        (place if one_model else f"{place} · {model}", [by_place.get((place, model, column)) for column in columns])
        for place, model in lines
    ]
    return _heat_table(columns, rows, found, metric)


def _heat_table(columns: list[str], rows: list[tuple[str, list]], found: pd.DataFrame, metric: str) -> Html:
    lines = [
        [element("th", title or "cases"), *(_heat_cell(cell, found, metric) for cell in cells)] for title, cells in rows
    ]
    return element("div", table(["", *columns], lines, class_="heat"), class_="wide")


def _heat_cell(row, found: pd.DataFrame, metric: str) -> Html:
    if row is None:
        return element("td", "-", class_="quiet")
    if row.median != row.median:
        return element("td", f"n {row.n}", class_="quiet")
    pale = " few" if "fewer" in row.warning else ""
    return element(
        "td",
        element("b", number(row.median)),
        element("small", _about(row)),
        class_=f"heat-cell{pale}",
        style=f"--bad: {_badness(row.median, found['median'], metric):.2f}",
        title=_told(row),
    )


def _about(row) -> str:
    spread = f"{number(row.q25)} to {number(row.q75)} · " if row.n >= WORTH_QUARTILES else ""
    return f"{spread}n {row.n}{_failed(row)}"


def _failed(row) -> str:
    """How many failed; a share where not every case of the stratum has a Dice."""
    if not row.failure_rate > 0:
        return ""
    if "without" in row.warning:
        return f" · {100 * row.failure_rate:.0f} % failed"
    return f" · {row.failure_rate * row.n:.0f} failed"


def _told(row) -> str:
    interval = f"95 % interval of the median {number(row.low)} to {number(row.high)}" if row.low == row.low else ""
    return "; ".join(part for part in (interval, row.warning) if part)


def _badness(value: float, values: pd.Series, metric: str) -> float:
    """0 good to 1 bad; shares on their own scale, distances and volumes on the table's."""
    if is_share(metric):
        return min(max(1 - value, 0.0), 1.0)
    sizes = magnitude(values, metric).abs().replace(float("inf"), float("nan"))
    largest = sizes.max()
    return min(abs(value) / largest, 1.0) if largest > 0 else 0.0

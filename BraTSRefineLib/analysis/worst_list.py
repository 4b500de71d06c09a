"""The report's list of the worst cases: figures, what is wrong in words, and a picture of each."""

from __future__ import annotations

import pandas as pd

from ..cohort import Case
from ..cohort.faces import UNSTRIPPED
from ..scoring import CONSENSUS
from .case_pictures import Look, look, look_at_reference
from .cells import number, volume
from .contents import Contents
from .document import ReportTable, Section
from .finding import FLIPPED, LOST_HEADER, OTHER_CONVENTION, OTHER_GRID, PERMUTED, SHIFTED
from .markup import Html, breakable, element, joined, table
from .metrics import is_share, metric_name, metric_unit
from .ranking import worst_on_average

FIGURES = ("dice", "hd95_mm")
EXPLAINING = (PERMUTED, OTHER_CONVENTION, FLIPPED, LOST_HEADER, OTHER_GRID, SHIFTED)
"""Findings that explain bad numbers of the very prediction that they are about."""

MOST_NAMED = 5
"""So many cases are named in the warning of faces; each picture has it, too."""

HELD = "Axial, coronal, sagittal: nose and head up, the patient's left on the right."


def worst_section(contents: Contents) -> Section:
    """The worst predictions with what is wrong in each; without any, what can be shown of the cases."""
    ranked = worst_on_average(contents.scores, metric=contents.metric, worst=contents.worst)
    if ranked.empty:
        legend = _legend("No prediction was scored. ", "reference")
        gallery, warning = _gallery(contents)
        return Section("worst", "Cases", (*warning, legend, gallery))
    predictions = contents.scored.groupby(["case", "model"]).ngroups
    conventions = list(dict.fromkeys(ranked["convention"]))
    truths = dict.fromkeys("consensus of the others" if c.endswith(CONSENSUS) else "reference" for c in conventions)
    title = f"The {len(ranked)} worst of {predictions} predictions"
    caption = f"By the mean {metric_name(contents.metric)} over the regions ({', '.join(conventions)})."
    slices = "Slices go through the largest error of the region that is worst. "
    legend = _legend(slices, " or ".join(truths), "prediction")
    worst, warning = _worst_table(contents, ranked, title, caption)
    return Section("worst", "Worst cases", (*warning, legend, worst))


def _legend(text: str, *outlines: str) -> Html:
    """``outlines`` names what the blue line is and, where there is one, the orange one."""
    lines = [element("i", "", class_=f"line {name}") for name in ("reference", "prediction")]
    named = [joined(line, f" {name}. ") for line, name in zip(lines, outlines, strict=False)]
    return element("p", text, *named, HELD, class_="quiet")


def _worst_table(
    contents: Contents, ranked: pd.DataFrame, title: str, caption: str
) -> tuple[ReportTable, tuple[str, ...]]:
    """A row a prediction of ``ranked`` (``worst_on_average``), with its picture; the file has the same in columns.

    The second part says of which cases the pictures may show a face.
    """
    keys = ranked[["case", "model"]].drop_duplicates()
    groups = dict(list(contents.scores.merge(keys, on=["case", "model"]).groupby(["case", "model"], sort=False)))
    rows, lines, faces = [], [], []
    for entry in ranked.itertuples(index=False):
        scores = groups[entry.case, entry.model].drop_duplicates(["region", "metric"])
        figures = scores.pivot(index="region", columns="metric", values="value")
        seen = look(contents, contents.cases[entry.case], entry.model, entry.region)
        rows.append(_row(contents, entry, figures, seen))
        lines.append(_line(contents, entry, figures, seen))
        faces += [entry.case] if seen.has_face else []
        _tell(contents, entry.rank, len(ranked), entry.case)
    view = table(["", "Case", "Figures", "What is wrong", "Where"], rows, class_="worst")
    return ReportTable("worst-cases", title, pd.DataFrame(lines), caption, view=view), _of_faces(faces)


def _of_faces(cases: list[str]) -> tuple[str, ...]:
    """The warning, where there is any such case."""
    names = list(dict.fromkeys(cases))
    if not names:
        return ()
    shown = f"{', '.join(names[:MOST_NAMED])}{' and others' if len(names) > MOST_NAMED else ''}"
    return (f"Before this report is passed on: the image of {shown} {UNSTRIPPED}.",)


def _row(contents: Contents, entry, figures: pd.DataFrame, seen: Look) -> list[Html]:
    said = joined(_sentence(seen), _remarks(contents.found, entry.case, entry.model))
    name = _name(contents.cases[entry.case], entry.model, entry.convention)
    return [element("td", entry.rank, class_="rank"), name, _figures(contents, figures), said, seen.picture]


def _line(contents: Contents, entry, figures: pd.DataFrame, seen: Look) -> dict[str, object]:
    """The same as values, a column a figure."""
    wanted = [*dict.fromkeys([contents.metric, *FIGURES]), "volume_prediction_ml", "volume_reference_ml"]
    values = {
        f"{region}_{metric}": figures.loc[region].get(metric)
        for region in contents.regions
        if region in figures.index
        for metric in wanted
    }
    wrong, advice = (seen.verdict.wrong, seen.verdict.calls_for) if seen.verdict else (seen.problem, "")
    return {
        "rank": entry.rank,
        "case": entry.case,
        "model": entry.model,
        "center": contents.cases[entry.case].center,
        "worst_region": entry.region,
        f"mean_{contents.metric}": entry.mean,
        "what_is_wrong": wrong,
        "calls_for": advice,
        **values,
        "convention": entry.convention,
    }


def _gallery(contents: Contents) -> tuple[ReportTable, tuple[str, ...]]:
    """What can be shown of a cohort without scored predictions: images and reference outlines; and the warning."""
    rows, lines, faces = [], [], []
    cases = contents.cohort.cases[: contents.worst]
    for done, case in enumerate(cases, 1):
        known = contents.scores[
            (contents.scores["case"] == case.case) & (contents.scores["metric"] == "volume_reference_ml")
        ].drop_duplicates("region")
        seen = look_at_reference(contents, case)
        faces += [case.case] if seen.has_face else []
        rows.append([_name(case, "", ""), _volumes(known), seen.picture])
        volumes = {f"{row.region}_volume_reference_ml": row.value for row in known.itertuples()}
        lines.append({"case": case.case, "center": case.center, **volumes})
        _tell(contents, done, len(cases), case.case)
    view = table(["Case", "Reference volumes", "Where"], rows, class_="worst")
    return ReportTable("cases", "References and images", pd.DataFrame(lines), view=view), _of_faces(faces)


def _tell(contents: Contents, done: int, total: int, case: str) -> None:
    if contents.progress is not None:
        contents.progress(done, total, case)


def _name(case: Case, model: str, convention: str) -> Html:
    versus = convention.endswith(CONSENSUS)
    return joined(
        element("strong", breakable(case.case), title=case.case),
        element("div", breakable(model)) if model else None,
        element("div", case.center, class_="quiet") if case.center else None,
        element("div", CONSENSUS.strip(), class_="quiet") if versus else None,
    )


def _figures(contents: Contents, values: pd.DataFrame) -> Html:
    """Dice and HD95 of each region, and the volumes of reference and prediction; ``values`` is region x metric."""
    metrics = list(dict.fromkeys([contents.metric, *FIGURES]))
    rows = []
    for region in (region for region in contents.regions if region in values.index):
        row = values.loc[region]
        volumes = f"{_volume(row.get('volume_prediction_ml'))} / {_volume(row.get('volume_reference_ml'))}"
        rows.append([element("th", region), *(_figure(number(row.get(m))) for m in metrics), _figure(volumes)])
    return table(["", *map(_metric_heading, metrics), "ml / ref."], rows, class_="figures")


def _metric_heading(metric: str) -> str:
    unit = "" if is_share(metric) else metric_unit(metric)
    return f"{metric_name(metric)} {unit}".strip()


def _volume(value: float | None) -> str:
    return "-" if value is None else volume(value)


def _volumes(rows: pd.DataFrame) -> Html:
    cells = [[element("th", row.region), _figure(_volume(row.value))] for row in rows.itertuples()]
    return table(["", "ml"], cells, class_="figures") if cells else element("span", "no reference", class_="quiet")


def _figure(text: str) -> Html:
    return element("td", text, class_="figure")


def _sentence(seen: Look) -> Html:
    if seen.verdict is None:
        return element("p", f"It could not be read again: {seen.problem}", class_="check")
    said = seen.verdict
    wrong = said.wrong[0].upper() + said.wrong[1:] + "."
    calls_for = (
        element("p", f"{said.calls_for[0].upper()}{said.calls_for[1:]}.", class_="quiet") if said.calls_for else None
    )
    return joined(element("p", wrong), calls_for)


def _remarks(found: pd.DataFrame, case: str, model: str) -> Html | None:
    """Findings that explain the numbers of this very prediction."""
    mine = found[(found["case"] == case) & (found["model"] == model) & found["kind"].isin(EXPLAINING)]
    if mine.empty:
        return None
    return joined(*(element("p", f"Check the data first: {message}", class_="check") for message in mine["message"]))

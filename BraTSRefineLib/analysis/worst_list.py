"""The report's list of the worst cases: figures, what is wrong in words, and a picture of each."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from ..cohort import Case
from ..regions import REGIONS
from ..scoring import CONSENSUS
from .contents import Contents
from .errors import RegionError, describe_error
from .finding import PERMUTED, SHIFTED
from .markup import Html, element, joined, table
from .metrics import AnalysisError, metric_name, metric_unit
from .pairs import REFERENCE, CaseReader, Masks, Pair
from .sentences import verdict
from .thumbnails import (
    PREDICTION_INDEX,
    REFERENCE_INDEX,
    THICK,
    THIN,
    Outline,
    Scene,
    background,
    middle,
    picture,
)

FIGURES = ("dice", "hd95_mm")


def worst_table(contents: Contents, ranked: pd.DataFrame) -> Html:
    """A row a prediction of ``ranked`` (``worst_on_average``), with its picture."""
    rows = []
    for entry in ranked.itertuples(index=False):
        rows.append(_row(contents, entry))
        _tell(contents, entry.rank, len(ranked), entry.case)
    return table(["", "Case", "Figures", "What is wrong", "Where"], rows, class_="worst")


def _row(contents: Contents, entry) -> list[Html]:
    case, scores = contents.cohort[entry.case], contents.scores
    sentence, image = _look(contents, case, entry.model, entry.region)
    figures = _figures(scores[(scores["case"] == entry.case) & (scores["model"] == entry.model)])
    said = joined(sentence, _remarks(contents.found, entry.case, entry.model))
    return [element("td", entry.rank, class_="rank"), _name(case, entry.model, entry.convention), figures, said, image]


def gallery(contents: Contents) -> Html:
    """What can be shown of a cohort without scored predictions: images and reference outlines."""
    rows = []
    cases = contents.cohort.cases[: contents.worst]
    for done, case in enumerate(cases, 1):
        volumes = _volumes(contents.scores[contents.scores["case"] == case.case])
        rows.append([_name(case, "", ""), volumes, _look_at_reference(contents, case)])
        _tell(contents, done, len(cases), case.case)
    return table(["Case", "Reference volumes", "Where"], rows, class_="worst")


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


def breakable(name: str) -> Html:
    """A long name that may be broken after an underscore or a hyphen, as people read it."""
    parts = re.split(r"(?<=[-_/])", name)
    return Html("<wbr>".join(joined(part) for part in parts))


def _figures(scores: pd.DataFrame) -> Html:
    """Dice and HD95 of each region, and the volumes of reference and prediction."""
    values = scores.pivot_table(index="region", columns="metric", values="value", sort=False, dropna=False)
    regions = [region for region in REGIONS if region in values.index]
    rows = []
    for region in regions:
        row = values.loc[region]
        volumes = f"{number(row.get('volume_prediction_ml'))} / {number(row.get('volume_reference_ml'))}"
        rows.append(
            [element("th", region), *(_figure(number(row.get(metric))) for metric in FIGURES), _figure(volumes)]
        )
    headings = [
        "",
        *(f"{metric_name(m)}{f' {metric_unit(m)}' if metric_unit(m) else ''}" for m in FIGURES),
        "ml / ref.",
    ]
    return table(headings, rows, class_="figures")


def _volumes(scores: pd.DataFrame) -> Html:
    rows = scores[scores["metric"] == "volume_reference_ml"].drop_duplicates("region")
    cells = [[element("th", row.region), _figure(number(row.value))] for row in rows.itertuples()]
    return table(["", "ml"], cells, class_="figures") if cells else element("span", "no reference", class_="quiet")


def _figure(text: str) -> Html:
    return element("td", text, class_="figure")


def number(value: float | None) -> str:
    """Two significant decimals below 100; a dash for what is not there."""
    if value is None or np.isnan(value):
        return "-"
    if np.isinf(value):
        return "∞"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _remarks(found: pd.DataFrame, case: str, model: str) -> Html | None:
    """Findings that explain the numbers of this very prediction."""
    mine = found[(found["case"] == case) & (found["model"] == model) & found["kind"].isin([PERMUTED, SHIFTED])]
    if mine.empty:
        return None
    return joined(*(element("p", f"Check the data first: {message}", class_="check") for message in mine["message"]))


def _look(contents: Contents, case: Case, model: str, region: str) -> tuple[Html, Html]:
    """What is wrong in that region, in words and as a picture; the reason where it cannot be read any more."""
    try:
        pair = CaseReader(case).pair(model)
        error = describe_error(pair.truth[region], pair.prediction.masks[region], pair.geometry, region)
        return _sentence(error, pair.versus), _picture_of_pair(pair, region, error)
    except (AnalysisError, OSError, KeyError) as problem:
        reason = element("p", f"It could not be read again: {contents.local(str(problem))}", class_="check")
        return reason, element("span", "no picture", class_="quiet")


def _sentence(error: RegionError, versus: str) -> Html:
    said = verdict(error, against="reference" if versus == REFERENCE else "consensus")
    wrong = said.wrong[0].upper() + said.wrong[1:] + "."
    calls_for = (
        element("p", f"{said.calls_for[0].upper()}{said.calls_for[1:]}.", class_="quiet") if said.calls_for else None
    )
    return joined(element("p", wrong), calls_for)


def _picture_of_pair(pair: Pair, region: str, error: RegionError) -> Html:
    image, channel = background(pair.case, region, pair.geometry)
    spot = error.largest.index if error.largest else middle(pair.geometry, pair.truth[region])
    outlines = [
        *_outlines(pair.truth, region, REFERENCE_INDEX),
        *_outlines(pair.prediction.masks, region, PREDICTION_INDEX),
    ]
    around = pair.truth.get("WT", pair.truth[region])
    scene = Scene(pair.geometry, spot, outlines, around, image)
    return _image(
        picture(scene), f"{region} of {pair.case.case}, {pair.model}", _caption(channel, region, pair.regions)
    )


def _look_at_reference(contents: Contents, case: Case) -> Html:
    reader = CaseReader(case)
    try:
        geometry, reference = reader.geometry, reader.reference
        masks: Masks = reference.masks if reference else {}
        image, channel = background(case, "WT", geometry)
        outlines = list(_outlines(masks, "WT", REFERENCE_INDEX, "TC"))
        scene = Scene(geometry, middle(geometry, masks.get("WT")), outlines, masks.get("WT"), image)
        return _image(picture(scene), case.case, _caption(channel, "WT", list(masks), "TC"))
    except (AnalysisError, OSError) as problem:
        return element("p", f"It could not be read: {contents.local(str(problem))}", class_="check")


def _outlines(masks: Mapping[str, np.ndarray], region: str, index: int, second: str = "WT") -> Iterator[Outline]:
    """The region thick, ``second`` (usually the whole tumour) thin."""
    if second != region and second in masks:
        yield Outline(masks[second], index, THIN)
    if region in masks:
        yield Outline(masks[region], index, THICK)


def _caption(channel: str, region: str, known: list[str], second: str = "WT") -> str:
    thin = f", {second} thin" if second != region and second in known else ""
    outlines = f"{region} thick{thin}" if region in known else "no outline"
    return f"{channel or 'no image'} · {outlines}"


def _image(png: bytes, alternative: str, caption: str) -> Html:
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    image = element("img", src=source, alt=alternative, loading="lazy")
    return element("figure", image, element("figcaption", caption))

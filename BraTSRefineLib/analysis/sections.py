"""The report's other parts: what was compared with what, strata, findings, problems, versions."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from ..cohort import CHANNELS, Cohort
from ..regions import REGION_NAMES, REGIONS, LabelConvention
from ..scoring import CONSENSUS, CONVENTIONS, explain_convention
from .contents import Contents
from .finding import EMPTY_REGION, SINGLE_VOXEL
from .headline import unscored
from .markup import Html, element, joined, listing, table
from .metrics import higher_is_better, metric_name
from .strata import FEW, strata
from .worst_list import breakable, number

PACKAGES = ("bratsrefine", "numpy", "scipy", "pandas", "plotly", "SimpleITK")
REMARKS = (EMPTY_REGION, SINGLE_VOXEL)
NAMED_CASES = 12
MANY_MODELS = 7
WORTH_QUARTILES = 3


def facts(contents: Contents) -> Html:
    """What was compared with what, and how the numbers and labels are meant."""
    cohort, scores = contents.cohort, contents.scores
    entries = {
        "Cohort": f"{cohort.root.name}: {len(cohort.cases)} cases ({cohort.layout})",
        "Centres": ", ".join(_center_counts(cohort)) or "not known",
        "Images": _images(cohort),
        "Compared with": _compared_with(contents.scored),
        "Metrics": _metric_conventions(scores),
        "Labels": _labels(cohort),
        "Models": _models(cohort),
    }
    return element("dl", *(joined(element("dt", key), element("dd", value)) for key, value in entries.items() if value))


def _center_counts(cohort: Cohort) -> list[str]:
    centers = pd.Series([case.center for case in cohort.cases if case.center], dtype=object)
    return [f"{center} ({count})" for center, count in centers.value_counts(sort=False).items()]


def _images(cohort: Cohort) -> str:
    with_images = [case for case in cohort.cases if case.images]
    if not with_images:
        return "none"
    channels = [channel for channel in CHANNELS if any(channel in case.images for case in with_images)]
    return f"{', '.join(channels)} for {len(with_images)} of {len(cohort.cases)} cases"


def _compared_with(scored: pd.DataFrame) -> str:
    others = scored["convention"].str.endswith(CONSENSUS)
    against, consensus = scored[~others]["case"].nunique(), scored[others]["case"].nunique()
    parts = [f"the reference in {against} cases"] if against else []
    if consensus:
        parts.append(f"the consensus (majority, region by region) of the other models in {consensus} cases")
    return "; ".join(parts) or "nothing: no prediction was scored"


def _metric_conventions(scores: pd.DataFrame) -> Html:
    names = dict.fromkeys(name.partition(" vs ")[0] for name in scores["convention"])
    lines = [line for name in names if name in CONVENTIONS for line in explain_convention(name).splitlines()]
    return joined(*(element("div", line) for line in dict.fromkeys(lines)))


def _labels(cohort: Cohort) -> Html:
    """Every label convention that is in use, and by whom."""
    users: dict[str, dict[str, None]] = {}
    described: dict[str, str] = {}
    for case in cohort.cases:
        own = [("references" if case.reference else "predictions", case.labels)]
        own += [(model, case.convention_of(model)) for model in case.predictions if model in case.model_labels]
        for user, convention in own:
            name = convention.name if convention else "not known"
            users.setdefault(name, {})[user] = None
            described[name] = _spelled(convention)
    return joined(*(element("div", f"{n}{described[n]}: {', '.join(users[n])}") for n in users))


def _spelled(convention: LabelConvention | None) -> str:
    if convention is None or "=" in convention.name:
        return ""
    return f" ({', '.join(f'{tissue} {label}' for tissue, label in convention.tissues.items())})"


def _models(cohort: Cohort) -> str:
    counts = {model: sum(model in case.predictions for case in cohort.cases) for model in cohort.models}
    return ", ".join(f"{model} ({count} cases)" for model, count in counts.items()) or "none"


def strata_tables(contents: Contents) -> Html:
    """Median, number of cases and failures by region, by size of each region and by centre; a column a model."""
    regions = [region for region in REGIONS if region in set(contents.scores["region"])]
    parts = [element("h3", "By region"), _heat_of(contents, "region")] if len(contents.scored) else []
    for region in regions:
        heading = f"By size of the {REGION_NAMES[region]} ({region})"
        parts += [element("h3", heading), _heat_of(contents, "size", region)]
    for region in regions if len(contents.cohort.centers) > 1 else []:
        heading = f"By centre, {REGION_NAMES[region]} ({region})"
        parts += [element("h3", heading), _heat_of(contents, "center", region)]
    return joined(element("p", _how_to_read(contents), class_="quiet"), *parts)


def _how_to_read(contents: Contents) -> str:
    if contents.scored.empty:
        return "No prediction was scored; n counts the cases."
    return (
        f"Each cell: median {metric_name(contents.metric)}, quartiles, number of cases, and how many failed (Dice below "
        f"0.5, a region missed, or HD95 above 20 mm). Pale cells hold fewer than {FEW} cases: read them with care."
    )


def _heat_of(contents: Contents, by: str, region: str = "WT") -> Html:
    found = strata(contents.scores, contents.cohort, by=by, metric=contents.metric, region=region)
    return _heat(found, contents.metric)


def _heat(found: pd.DataFrame, metric: str) -> Html:
    """Strata in rows and models in columns, or the other way round where the models are many."""
    scored = found[found["model"] != ""]
    found = scored if len(scored) else found
    if found.empty:
        return element("p", "Nothing to compare.", class_="quiet")
    places, models = list(dict.fromkeys(found["stratum"])), sorted(set(found["model"]))
    by_place = {(row.stratum, row.model): row for row in found.itertuples(index=False)}
    turned = len(models) > MANY_MODELS
    lines, columns = (models, places) if turned else (places, models)
    rows = [
        [
            element("th", line or "cases"),
            *(_heat_cell(by_place.get((c, line) if turned else (line, c)), found, metric) for c in columns),
        ]
        for line in lines
    ]
    return element("div", table(["", *(column or "cases" for column in columns)], rows, class_="heat"), class_="wide")


def _heat_cell(row, found: pd.DataFrame, metric: str) -> Html:
    if row is None:
        return element("td", "-", class_="quiet")
    if row.median != row.median:
        return element("td", f"n {row.n}", class_="quiet")
    failed = round(row.failure_rate * row.n) if row.failure_rate == row.failure_rate else 0
    spread = f"{number(row.q25)} to {number(row.q75)} · " if row.n >= WORTH_QUARTILES else ""
    about = f"{spread}n {row.n}" + (f" · {failed} failed" if failed else "")
    pale = " few" if "fewer" in row.warning else ""
    return element(
        "td",
        element("b", number(row.median)),
        element("small", about),
        class_=f"heat-cell{pale}",
        style=f"--bad: {_badness(row.median, found['median'], metric):.2f}",
        title=row.warning,
    )


def _badness(value: float, values: pd.Series, metric: str) -> float:
    """0 good to 1 bad; shares on their own scale, distances and volumes on the table's."""
    if higher_is_better(metric):
        return min(max(1 - value, 0.0), 1.0)
    largest = values.abs().replace(float("inf"), float("nan")).max()
    return min(abs(value) / largest, 1.0) if largest > 0 else 0.0


def findings_list(contents: Contents) -> Html:
    """Suspicions first, remarks on empty and single-voxel regions folded away."""
    found = contents.found
    if found.empty:
        return element("p", "Nothing looks wrong with the data.", class_="quiet")
    serious, remarks = found[~found["kind"].isin(REMARKS)], found[found["kind"].isin(REMARKS)]
    parts = [_finding_table(serious)] if len(serious) else [element("p", "No suspicion.", class_="quiet")]
    if len(remarks):
        summary = element("summary", f"{len(remarks)} remarks on empty and single-voxel regions")
        parts.append(element("details", summary, _finding_table(remarks)))
    return joined(*parts)


def _finding_table(found: pd.DataFrame) -> Html:
    rows = [[f.kind, breakable(f.case), breakable(f.model), f.message] for f in found.itertuples(index=False)]
    return table(["Finding", "Case", "Model", ""], rows, class_="found")


def problems_list(contents: Contents) -> Html:
    """What was not scored and why, and the cohort's other problems; one line for what many cases share."""
    cohort, scores = contents.cohort, contents.scores
    groups: dict[tuple[str, str, str], dict[str, None]] = {}
    for row in unscored(cohort, scores).itertuples(index=False):
        groups.setdefault(("not scored", row.model, row.status), {})[row.case] = None
    told = {(case, message) for (_, _, message), cases in groups.items() for case in cases}
    for problem in cohort.all_problems():
        if (problem.case, problem.message) not in told:
            kind = "error" if problem.level == "error" else "note"
            groups.setdefault((kind, problem.model, problem.message), {})[problem.case] = None
    if not groups:
        return element("p", "None.", class_="quiet")
    order = ("not scored", "error", "note")
    keys = sorted(groups, key=lambda key: order.index(key[0]))
    return table(["", "Model", "What", "Cases"], [[*key, _cases(list(groups[key]))] for key in keys], class_="found")


def _cases(names: Sequence[str]) -> Html:
    shown = [name for name in names if name]
    if len(shown) <= NAMED_CASES:
        return joined(", ".join(shown))
    return element("details", element("summary", f"{len(shown)} cases"), listing(shown))


def versions() -> str:
    """The packages that made the numbers, with their versions."""
    named = [f"{package} {_version(package)}" for package in PACKAGES]
    return ", ".join([*named, f"Python {platform.python_version()}"])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(from source)"

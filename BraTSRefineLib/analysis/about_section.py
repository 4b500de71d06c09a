"""What the report's numbers are: what was compared with what, under which conventions, with which packages."""

from __future__ import annotations

import pandas as pd

from ..cohort import CHANNELS, Cohort
from ..regions import LabelConvention
from ..scoring import CONSENSUS, CONVENTIONS, explain_convention, explain_lesion_rules
from .contents import Contents
from .document import ReportTable, Section
from .markup import Html, element, joined
from .software import versions

NOTHING_SCORED = "nothing: no prediction was scored"


def about_section(contents: Contents) -> Section:
    """What was compared with what, and how the numbers and labels are meant."""
    facts = [(key, line) for key, lines in _facts(contents).items() for line in lines if line]
    frame = pd.DataFrame(facts, columns=["about", "what"])
    view = element("dl", *(_entry(key, lines) for key, lines in _facts(contents).items() if any(lines)))
    return Section("about", "About", (ReportTable("about", "What was compared", frame, view=view),))


def _entry(key: str, lines: list[str]) -> Html:
    return joined(element("dt", key), element("dd", *(element("div", line) for line in lines)))


def _facts(contents: Contents) -> dict[str, list[str]]:
    cohort = contents.cohort
    return {
        "Cohort": [f"{cohort.root.name}: {len(cohort.cases)} cases ({cohort.layout})"],
        "Centres": [", ".join(_center_counts(cohort)) or "not known"],
        "Images": [_images(cohort)],
        "Compared with": [_compared_with(contents.scored)],
        "Metrics": _metric_conventions(contents.scores),
        "Labels": _labels(cohort),
        "Models": [_models(cohort)],
        "Versions": [versions()],
    }


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
    return "; ".join(parts) or NOTHING_SCORED


def _metric_conventions(scores: pd.DataFrame) -> list[str]:
    names = dict.fromkeys(name.partition(" vs ")[0] for name in scores["convention"].unique())
    return list(dict.fromkeys(line for name in names if name for line in _explained(name)))


def _explained(name: str) -> list[str]:
    """The convention's words, and those of the rules for lesions of the same name."""
    words = explain_convention(name).splitlines() if name in CONVENTIONS else []
    introduction, *lines = explain_lesion_rules().splitlines()
    rules = [line for line in lines if line.startswith(f"{name}: ")]
    unknown = [] if words or rules else [f"{name}: a convention that this version does not know"]
    return [*words, *([introduction, *rules] if rules else []), *unknown]


def _labels(cohort: Cohort) -> list[str]:
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
    return [f"{name}{described[name]}: {', '.join(users[name])}" for name in users]


def _spelled(convention: LabelConvention | None) -> str:
    if convention is None or "=" in convention.name:
        return ""
    return f" ({', '.join(f'{tissue} {label}' for tissue, label in convention.tissues.items())})"


def _models(cohort: Cohort) -> str:
    counts = {model: sum(model in case.predictions for case in cohort.cases) for model in cohort.models}
    return ", ".join(f"{model} ({count} cases)" for model, count in counts.items()) or "none"

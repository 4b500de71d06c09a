"""From what was found on disk to the cohort: geometry checked, labels settled, centres and final names given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

from .case import CHANNELS, Case, Cohort, CohortError, Problem
from .centers import Membership, member, read_centers
from .checks import check
from .conventions import Conventions, Stated, settle
from .draft import DataSet, Draft
from .geometry import Geometries
from .naming import person_of

Progress = Callable[[int, int, str], None]
"""Told after each case whose files were looked at: how many, of how many, and its name."""


def assemble(
    root: Path,
    data_sets: Sequence[DataSet],
    problems: Sequence[Problem],
    stated: Stated,
    progress: Progress | None = None,
) -> Cohort:
    """One cohort of one or several data sets; several are centres, named after their folders.

    A case name that several data sets use becomes ``<centre>/<case>`` in each of them.
    """
    _check_models_exist(root, data_sets, stated)
    geometries = Geometries()
    names = Counter(name for data_set in data_sets for name in data_set.drafts)
    several = len({data_set.root for data_set in data_sets}) > 1
    cases: list[Case] = []
    found: list[Problem] = list(problems)
    tell = _counting(progress, sum(len(data_set.drafts) for data_set in data_sets))
    for data_set in data_sets:
        check(data_set, geometries, tell)
        conventions = settle(data_set, stated)
        _place(data_set, several=several)
        drafts = sorted(data_set.drafts.values(), key=lambda draft: draft.case)
        cases += [_frozen(draft, conventions, shared=names[draft.case] > 1) for draft in drafts]
        found += data_set.problems
    layout = "several data sets" if several else data_sets[0].layout
    return Cohort(root, layout, tuple(cases), tuple(found))


def _counting(progress: Progress | None, total: int) -> Callable[[str], None]:
    """``progress`` as something that is told the name of each case alone."""
    number = count(1)
    return lambda case: progress(next(number), total, case) if progress else None


def _check_models_exist(root: Path, data_sets: Sequence[DataSet], stated: Stated) -> None:
    models = {model for data_set in data_sets for model in data_set.models}
    for model in stated.models:
        if model not in models:
            known = ", ".join(sorted(models)) or "none"
            raise CohortError(f"--model-labels: no model '{model}' in {root}; its models are: {known}")


def _place(data_set: DataSet, *, several: bool) -> None:
    """Centre, split and attributes: the data set's folder where there are several, else the tables in its folder."""
    memberships = {} if several else _memberships(data_set)
    for draft in data_set.drafts.values():
        found = member(memberships, draft.case)
        draft.center = draft.center or (data_set.root.name if several else found.center)
        draft.split = draft.split or found.split
        draft.attributes = {**found.attributes, **draft.attributes}


def _memberships(data_set: DataSet) -> Mapping[str, Membership]:
    try:
        return read_centers(data_set.root)
    except CohortError as error:
        data_set.problems.append(Problem(str(error), file=data_set.root))
        return {}


def _frozen(draft: Draft, conventions: Conventions, *, shared: bool) -> Case:
    name = f"{draft.center}/{draft.case}" if shared and draft.center else draft.case
    models = {*draft.predictions, *draft.probabilities}
    own = {model: convention for model, convention in conventions.models.items() if model in models}
    problems = tuple(Problem(p.message, name, p.model, p.file, p.level) for p in draft.problems)
    return Case(
        case=name,
        center=draft.center,
        split=draft.split,
        person=draft.person or _person(draft, name),
        attributes=draft.attributes,
        images={channel: draft.images[channel] for channel in CHANNELS if channel in draft.images},
        reference=draft.reference,
        predictions=draft.predictions,
        probabilities=draft.probabilities,
        labels=draft.labels or conventions.labels,
        model_labels=own | draft.model_labels,
        problems=problems,
    )


def _person(draft: Draft, name: str) -> str:
    """By the naming rules, which know a person in every data set; other names count in their own data set only."""
    person = person_of(draft.case)
    return name if person == draft.case else person

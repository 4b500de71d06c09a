"""Settles how each data set's references and each model's maps are read, as stated or as detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ..regions import LabelConvention, LabelError
from .case import CohortError, stated_convention
from .dataset_json import read_dataset_json
from .draft import DataSet, Draft
from .labels import (
    TELLING,
    Reading,
    Seen,
    candidates,
    decide,
    decide_model,
    decide_without_reference,
    listed,
    naming_of,
    seen_labels,
)

READERS = 4


@dataclass(frozen=True)
class Stated:
    """What the user stated: one convention for everything, and those of single models."""

    labels: LabelConvention | None = None
    models: Mapping[str, LabelConvention] = field(default_factory=dict)


@dataclass(frozen=True)
class Conventions:
    """How a data set's references are read, and those models that are read otherwise."""

    labels: LabelConvention | None
    models: Mapping[str, LabelConvention] = field(default_factory=dict)


def stated_by_user(labels: str, models: Mapping[str, str] | None) -> Stated:
    """Raises CohortError for a convention that is not known."""
    try:
        own = {model: stated_convention(text) for model, text in (models or {}).items()}
        return Stated(stated_convention(labels), {model: found for model, found in own.items() if found})
    except LabelError as error:
        raise CohortError(str(error)) from None


def settle(data_set: DataSet, stated: Stated) -> Conventions:
    """Decide on the conventions of a data set; remarks and unreadable maps are added to its problems."""
    drafts = [draft for draft in data_set.drafts.values() if draft.labels is None]
    own = {model: convention for model, convention in stated.models.items() if model in data_set.models}
    if stated.labels is not None or not drafts:
        return Conventions(stated.labels, own)
    named = naming_of(data_set.drafts)
    expected = _from_json(data_set, data_set.dataset_json)
    files = {draft.reference: draft for draft in drafts if draft.reference}
    references = _look(files, expected, named)
    _report_broken(references, files, "")
    within = expected or decide(references.labels, named).convention
    seen = _look_at_models(drafts, data_set.models, within if references.labels else None, named)
    by_json = _models_by_json(data_set, seen)
    labels = {model: found.labels for model, found in seen.items() if model not in own}
    if references.labels or expected:
        reading = _of_references(references.labels, expected, labels, named)
    else:
        reading = _of_predictions(labels, by_json, named)
    if reading.remark and reading.convention:
        data_set.note(f"{data_set.root.name}: {reading.remark}")
    if reading.convention is None:
        _refuse(drafts, f"label convention unknown: {reading.remark}")
    return Conventions(reading.convention, own | _of_models(data_set, labels, by_json, reading.convention, named))


def _from_json(data_set: DataSet, path: Path | None, model: str = "") -> LabelConvention | None:
    """What a ``dataset.json`` states, if it is readable and speaks of tumour regions or tissues."""
    if path is None:
        return None
    try:
        convention = read_dataset_json(path).convention()
    except CohortError as error:
        data_set.note(str(error), path, model)
        return None
    if convention is None:
        data_set.note(f"{path}: its labels name no tumour tissue; the label maps themselves are looked at", path, model)
    return convention


def _look(files: Mapping[Path, Draft], within: LabelConvention | None, named: str) -> Seen:
    """Labels of the files whose header could be read."""
    return seen_labels([path for path, draft in files.items() if path not in draft.unreadable], within, named)


def _look_at_models(
    drafts: Sequence[Draft], models: Sequence[str], within: LabelConvention | None, named: str
) -> dict[str, Seen]:
    """The labels of every model, several models at once; a map that cannot be read is an error of its case."""
    files = {model: {d.predictions[model]: d for d in drafts if model in d.predictions} for model in models}
    with ThreadPoolExecutor(READERS) as pool:
        seen = dict(zip(models, pool.map(lambda model: _look(files[model], within, named), models), strict=True))
    for model in models:
        _report_broken(seen[model], files[model], model)
    return seen


def _report_broken(seen: Seen, files: Mapping[Path, Draft], model: str) -> None:
    for path, message in seen.broken.items():
        files[path].error(message, path, model)


def _models_by_json(data_set: DataSet, seen: Mapping[str, Seen]) -> dict[str, LabelConvention]:
    """The models whose predictions lie with a ``dataset.json`` that knows all their labels."""
    agreed = {}
    for model, path in data_set.model_json.items():
        convention = _from_json(data_set, path, model)
        if convention and (outside := convention.outside(seen[model].labels)):
            data_set.note(f"labels {listed(outside)} are not in {path}, which is therefore passed over", path, model)
        elif convention:
            agreed[model] = convention
    return agreed


def _of_references(
    labels: frozenset[int], expected: LabelConvention | None, models: Mapping[str, frozenset[int]], named: str
) -> Reading:
    """As ``dataset.json`` states, unless the labels contradict it; else by the labels and the naming."""
    own = decide(labels, named)
    if expected is not None:
        outside = expected.outside(labels)
        if not outside:
            return Reading(expected)
        read_as = f"read as {own.convention.name}" if own.convention else own.remark
        return Reading(own.convention, f"labels {listed(outside)} are not in dataset.json ({expected.name}); {read_as}")
    if labels & TELLING or len(candidates(labels, named)) == 1:
        return own
    return _adopted(labels, models, named) or own


def _of_predictions(
    models: Mapping[str, frozenset[int]], by_json: Mapping[str, LabelConvention], named: str
) -> Reading:
    """Without references: what the models' ``dataset.json`` state most often, else by labels and naming."""
    stated = [by_json[model] for model in models if model in by_json]
    if stated:
        return Reading(max(stated, key=stated.count))
    return decide_without_reference({m: labels for m, labels in models.items() if labels} or models, named)


def _adopted(labels: frozenset[int], models: Mapping[str, frozenset[int]], named: str) -> Reading | None:
    """References without a telling label (no enhancing tumour): the models' convention, where it is a candidate."""
    telling = {model: seen for model, seen in models.items() if seen & TELLING}
    by_models = decide_without_reference(telling, named).convention if telling else None
    if by_models is None or by_models not in candidates(labels, named):
        return None
    return Reading(by_models, f"references hold labels {listed(labels)} alone; read as the models' {by_models.name}")


def _of_models(
    data_set: DataSet,
    seen: Mapping[str, frozenset[int]],
    by_json: Mapping[str, LabelConvention],
    cohort: LabelConvention | None,
    named: str,
) -> dict[str, LabelConvention]:
    """The conventions of models that differ from the data set's, with a note where that was concluded."""
    found = {}
    for model, labels in seen.items():
        reading = Reading(by_json[model]) if model in by_json else decide_model(model, labels, cohort, named)
        if reading.convention is not None and reading.convention != cohort:
            found[model] = reading.convention
        if reading.remark and reading.convention:
            data_set.note(reading.remark, model=model)
        elif reading.remark:
            _refuse([d for d in data_set.drafts.values() if model in d.predictions], reading.remark, model)
    return found


def _refuse(drafts: Sequence[Draft], message: str, model: str = "") -> None:
    for draft in drafts:
        draft.error(message, draft.predictions.get(model) or draft.reference, model)

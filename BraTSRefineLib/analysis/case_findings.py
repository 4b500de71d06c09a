"""The findings of one case, from label maps in memory, and the reading of a case's files for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..cohort import Case, Geometry, VolumeError, read_geometry, read_label_map
from .alignment import shifted_prediction
from .finding import NOT_CHECKED, Finding
from .flips import flipped_prediction
from .headers import refused_grid
from .labelling import other_labels, reference_labels
from .metrics import AnalysisError
from .pairs import CONSENSUS_OF_OTHERS, REFERENCE, CaseReader, Labelled
from .reference_quality import of_reference
from .sides import Sides, consensus, mean
from .signatures import Signature, signature

GOOD_ENOUGH = 0.95
"""A prediction whose mean Dice over the regions reaches this is not suspected of anything."""


@dataclass(frozen=True)
class CaseFindings:
    """What was found in one case, and by what its reference is known again (None without a tumour of 1 ml)."""

    case: str
    findings: tuple[Finding, ...] = ()
    signature: Signature | None = None


def findings_of_case(
    case: str,
    geometry: Geometry,
    reference: Labelled | None,
    predictions: Mapping[str, Labelled],
    *,
    models: Collection[str] | None = None,
) -> CaseFindings:
    """What looks wrong with a case's label maps, all of them on the grid ``geometry``: reads no file.

    Each of ``models`` (default: all) is compared with the reference or, without one, with the majority of the other
    ``predictions``. A check that fails is a finding itself and stops nothing.
    """
    sides = _all_sides(case, geometry, reference, predictions, models)
    if reference is None:
        return CaseFindings(case, tuple(_of_predictions(sides)))
    if reference.labels.outside(_labels(reference)):
        return CaseFindings(case, tuple(_guarded(case, "", lambda: _present(reference_labels(case, sides)))))
    remarks = _guarded(case, "", lambda: of_reference(case, reference, geometry))
    return CaseFindings(case, (*_of_predictions(sides), *remarks), signature(case, reference, geometry))


def findings_of_refused(case: Case, reader: CaseReader) -> Iterator[Finding]:
    """Why predictions were refused for their grid or their labels; their files are read for evidence alone."""
    for model in case.predictions:
        if case.error_of(model):
            yield from _guarded(case.case, model, lambda model=model: _refused(reader, model))


def read_case_findings(case: Case, models: Collection[str]) -> CaseFindings:
    """The findings of a case from its files: of its reference, of those ``models``, and of refused predictions.

    A case that the cohort has an error of is passed over: that error is told already.
    """
    if case.error_of() or not (case.predictions or case.reference):
        return CaseFindings(case.case)
    reader = CaseReader(case)
    try:
        reference, geometry = reader.reference, reader.geometry
    except AnalysisError as error:
        return CaseFindings(case.case, (_not_checked(case.case, "", error),))
    wanted = [model for model in case.usable_models() if model in models]
    needed = wanted if reference is not None or not wanted else case.usable_models()
    predictions, unreadable = _readable(reader, needed)
    checked = findings_of_case(case.case, geometry, reference, predictions, models=wanted)
    refused = findings_of_refused(case, reader)
    return CaseFindings(case.case, (*unreadable, *checked.findings, *refused), checked.signature)


def _readable(reader: CaseReader, models: Iterable[str]) -> tuple[dict[str, Labelled], list[Finding]]:
    """The models' label maps, and a finding for each that cannot be read."""
    predictions, unreadable = {}, []
    for model in models:
        try:
            predictions[model] = reader.prediction(model)
        except AnalysisError as error:
            unreadable.append(_not_checked(reader.case.case, model, error))
    return predictions, unreadable


def _all_sides(
    case: str,
    geometry: Geometry,
    reference: Labelled | None,
    predictions: Mapping[str, Labelled],
    models: Collection[str] | None,
) -> list[Sides]:
    chosen = [model for model in predictions if models is None or model in models]
    if reference is not None:
        return [Sides(case, model, geometry, reference, predictions[model], REFERENCE) for model in chosen]
    sides = []
    for model in chosen:
        others = [labelled for other, labelled in predictions.items() if other != model and _known(labelled)]
        if others:
            sides.append(Sides(case, model, geometry, consensus(others), predictions[model], CONSENSUS_OF_OTHERS))
    return sides


def _of_predictions(sides: Iterable[Sides]) -> Iterator[Finding]:
    for one in sides:
        yield from _guarded(one.case, one.model, lambda one=one: _present(_of_sides(one)))


def _of_sides(sides: Sides) -> Finding | None:
    """The first explanation of a poor prediction that holds."""
    known = _known(sides.prediction)
    if known and mean(sides.dice) >= GOOD_ENOUGH:
        return None
    finding = other_labels(sides)
    if finding is None and known:
        finding = flipped_prediction(sides) or shifted_prediction(sides)
    if finding is None or sides.versus == REFERENCE:
        return finding
    return finding._replace(message=f"{finding.message} (compared with the {sides.versus})")


def _refused(reader: CaseReader, model: str) -> list[Finding]:
    case, path = reader.case, reader.case.predictions[model]
    labels, (truth, versus) = case.convention_of(model), _truth(reader, model)
    if labels is None or truth is None:
        return []
    try:
        own, prediction = read_geometry(path), Labelled(read_label_map(path), labels)
    except VolumeError:
        return []  # the cohort's problems say already that the file cannot be read
    if own.difference(reader.geometry):
        return [refused_grid(case.case, model, truth, reader.geometry, prediction, own, versus)]
    return _present(_of_sides(Sides(case.case, model, reader.geometry, truth, prediction, versus)))


def _truth(reader: CaseReader, model: str) -> tuple[Labelled | None, str]:
    """The reference, or else the consensus of the other models that can be used; None without any."""
    if reader.reference is not None:
        return reader.reference, REFERENCE
    others = [reader.prediction(other) for other in reader.case.usable_models() if other != model]
    return (consensus(others) if others else None), CONSENSUS_OF_OTHERS


def _labels(label_map: Labelled) -> list[int]:
    return np.flatnonzero(label_map.counts).tolist()


def _known(label_map: Labelled) -> bool:
    """Whether the convention knows every label in the map."""
    return not label_map.labels.outside(_labels(label_map))


def _present(finding: Finding | None) -> list[Finding]:
    return [] if finding is None else [finding]


def _guarded(case: str, model: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """The findings of a check, or the one that it could not be done; whatever is wrong here, the others go on."""
    try:
        return list(check())
    except Exception as error:
        return [_not_checked(case, model, error)]


def _not_checked(case: str, model: str, error: Exception) -> Finding:
    return Finding(case, model, NOT_CHECKED, f"not checked ({type(error).__name__}: {error})")

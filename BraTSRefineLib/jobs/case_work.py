"""What the score job does with one case: its files are read once, then scored and looked at for what is wrong."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..analysis.case_findings import CaseFindings, findings_of_case, findings_of_refused, read_case_findings
from ..analysis.finding import NOT_CHECKED, Finding
from ..analysis.pairs import CaseReader, Labelled
from ..analysis.signatures import Signature
from ..cohort import Case
from ..scoring.case_maps import CaseMaps, LabelMap, read_case
from ..scoring.case_scores import CaseScores, Settings, expected_models, scores_of_maps


@dataclass(frozen=True)
class ScoredCase:
    """The rows of one case, and what looks wrong with its files."""

    scores: CaseScores
    findings: CaseFindings


def scored_case(case: Case, settings: Settings) -> ScoredCase:
    """Scores and findings of a case."""
    maps = read_case(case, expected_models(case, settings))
    return ScoredCase(scores_of_maps(maps, settings), _findings(maps))


def _findings(maps: CaseMaps) -> CaseFindings:
    case = maps.case
    if case.error_of() or not (case.predictions or case.reference):
        return CaseFindings(case.case)
    if "" in maps.errors:
        return read_case_findings(case, case.usable_models())
    predictions = {model: _labelled(one) for model, one in {**maps.predictions, **maps.doubtful}.items()}
    first = maps.reference or next(iter([*maps.predictions.values(), *maps.doubtful.values()]), None)
    if first is None:
        return CaseFindings(case.case, tuple(_not_read(maps)))
    reference = _labelled(maps.reference) if maps.reference else None
    checked = findings_of_case(case.case, first.geometry, reference, predictions)
    refused = findings_of_refused(case, CaseReader(case))
    return CaseFindings(case.case, (*_not_read(maps), *checked.findings, *refused), checked.signature)


def _labelled(label_map: LabelMap) -> Labelled:
    return Labelled(label_map.voxels, label_map.labels, label_map.box if label_map.seen else None)


def _not_read(maps: CaseMaps) -> Iterator[Finding]:
    """A finding for each prediction that the cohort knows no error of and that could not be read all the same."""
    for model, message in maps.errors.items():
        if model in maps.case.predictions and model not in maps.doubtful and not maps.case.error_of(model):
            yield Finding(maps.case.case, model, NOT_CHECKED, f"not checked ({message})")


def to_json(result: ScoredCase, named: Callable[[str], str] = str) -> dict[str, Any]:
    """The result in JSON's own types; its texts as ``named`` has them, which names files from the cohort's root."""
    signature = result.findings.signature
    return {
        "rows": [_with_named(row, named) for row in result.scores.rows],
        "lesions": result.scores.lesions,
        "case": result.findings.case,
        "findings": [_with_named(finding, named) for finding in result.findings.findings],
        "signature": None
        if signature is None
        else vars(signature) | {"samples": b64encode(signature.samples).decode()},
    }


def _with_named(row: Iterable[object], named: Callable[[str], str]) -> list[object]:
    return [named(value) if isinstance(value, str) else value for value in row]


def from_json(content: Any) -> ScoredCase:
    """The result that ``to_json`` gave."""
    findings = tuple(Finding(*fields) for fields in content["findings"])
    scores = CaseScores([tuple(row) for row in content["rows"]], [tuple(row) for row in content["lesions"]])
    return ScoredCase(scores, CaseFindings(content["case"], findings, _signature(content["signature"])))


def _signature(content: dict[str, Any] | None) -> Signature | None:
    if content is None:
        return None
    lengths = {name: tuple(content[name]) for name in ("extent_mm", "voxel_mm")}
    return Signature(**{**content, **lengths, "samples": b64decode(content["samples"])})

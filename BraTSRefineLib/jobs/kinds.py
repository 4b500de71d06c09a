"""What each kind of job can be asked for: its parameters, their defaults, and what they may be.

Imports nothing beyond the standard library, as the descriptions that it is for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

REGIONS = ("WT", "TC", "ET")
NAME = r"[\w+=-][\w.+=-]{0,119}"
"""What names a job or a model."""


@dataclass(frozen=True)
class Parameter:
    """One setting of a kind of job: its default, what it may be, and that in words."""

    default: object
    accepts: Callable[[object], bool]
    words: str


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_names(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(isinstance(name, str) for name in value))


def _is_sizes(value: object) -> bool:
    return isinstance(value, dict) and all(
        region in REGIONS and _is_whole(size) and size >= 0 for region, size in value.items()
    )


def _is_threshold(value: object) -> bool:
    return value is None or (isinstance(value, float | int) and not isinstance(value, bool) and value > 0)


def _is_tolerances(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(_is_threshold(each) for each in value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_weights(value: object) -> bool:
    """Whether the models exist and have weight at all is for the job to say."""
    return (
        value is None
        or (isinstance(value, str) and bool(value))
        or (isinstance(value, dict) and set(value) == set(REGIONS) and all(map(_is_shares, value.values())))
    )


def _is_shares(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(share, float | int) and not isinstance(share, bool) for share in value.values()
    )


def _one_of(*values: str) -> Parameter:
    """The first is the default."""
    return Parameter(values[0], lambda value: value in values, " or ".join(json.dumps(value) for value in values))


def _switch(default: bool) -> Parameter:
    return Parameter(default, lambda value: isinstance(value, bool), "true or false")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(NAME, value))


def _is_folds(value: object) -> bool:
    return value is None or (isinstance(value, list) and value and all(isinstance(fold, str | int) for fold in value))


_MODELS = Parameter(None, _is_names, "null or a list of the cohort's models")
_CASES = Parameter(None, _is_names, "null or a list of the cohort's cases")
_SCHEDULER = Parameter(None, _is_text_or_none, "null or an address")
_BUDGET = Parameter(None, _is_threshold, "null or ml above 0")
_CONVENTION = Parameter("brats2023", _is_text, "the name of a convention for empty masks")
_CONVENTION_OR_SCORES = Parameter(None, _is_text_or_none, "null (that of the scores) or a convention's name")

KINDS: dict[str, dict[str, Parameter]] = {
    "score": {
        "convention": _CONVENTION,
        "models": _MODELS,
        "cases": _CASES,
        "tolerances": Parameter(None, _is_tolerances, "null or a list of mm above 0"),
        "measures": Parameter(["lesions"], _is_texts, "a list of further measures"),
        "lesions": Parameter("", _is_text, "the name of rules for lesions, or nothing"),
        "workers": Parameter(None, lambda value: value is None or _is_whole(value), "null or a number of processes"),
        "scheduler": _SCHEDULER,
        "fresh": _switch(False),
    },
    "uncertainty": {
        "models": _MODELS,
        "cases": _CASES,
        "threshold": Parameter(None, _is_threshold, "null or a number above 0"),
        "budget_ml": _BUDGET,
    },
    "evaluate": {
        "models": _MODELS,
        "cases": _CASES,
        "budget_ml": _BUDGET,
        "precision": Parameter(
            0.45, lambda value: value is not None and _is_threshold(value) and value < 1, "a number between 0 and 1"
        ),
    },
    "fuse": {
        "models": _MODELS,
        "method": _one_of("mean", "majority", "weighted", "staple", "simple", "select"),
        "weights": Parameter(
            None, _is_weights, 'null, a file of weights, or {"WT": {model: weight}, "TC": ..., "ET": ...}'
        ),
        "cases": _CASES,
        "convention": _CONVENTION_OR_SCORES,
    },
    "fit_weights": {
        "models": _MODELS,
        "method": _one_of("select", "dirichlet", "soft-dice", "convex"),
        "cases": _CASES,
        "by": _one_of("person", "center"),
        "folds": Parameter(5, lambda value: _is_whole(value) and value >= 2, "a whole number from 2"),
        "max_models": Parameter(
            None, lambda value: value is None or (_is_whole(value) and value >= 1), "null or a whole number from 1"
        ),
        "seed": Parameter(0, lambda value: _is_whole(value) and value >= 0, "a whole number from 0"),
        "save_as": Parameter("", _is_text, "a name for the file of weights, or nothing"),
    },
    "postprocess": {
        "model": Parameter("", lambda value: isinstance(value, str) and bool(value), "the name of a model"),
        "hierarchy": _switch(True),
        "minimum_voxels": Parameter({"WT": 0, "TC": 0, "ET": 50}, _is_sizes, 'whole numbers as {"ET": 50}'),
        "cases": _CASES,
        "convention": _CONVENTION_OR_SCORES,
    },
    "select": {
        "k": Parameter(5, lambda value: _is_whole(value) and value >= 1, "a whole number from 1"),
        "region": Parameter("ET", lambda value: value in REGIONS, "WT, TC or ET"),
    },
    "predict": {
        "paths": Parameter(None, lambda value: value is not None and _is_names(value), "a list of paths of models"),
        "name": Parameter("", lambda value: value == "" or _is_name(value), "a name of letters, digits and - _ . + ="),
        "folds": Parameter(None, _is_folds, "null or a list of folds as [0, 1]"),
        "checkpoint": _one_of("final", "best"),
        "tta": Parameter("none", _is_text, "a set or list of augmentations"),
        "mode": _one_of("exact", "fast-window", "fast-roi"),
        "device": Parameter("auto", _is_text, '"auto" or the name of a device'),
        "precision": _one_of("auto", "fp32", "fp16"),
        "seed": Parameter(0, _is_whole, "a whole number"),
        "uncertainty": _switch(True),
        "adapt": _one_of("", "tent", "information-geometric", "uncertainty-guided"),
        "cases": _CASES,
        "before": Parameter(None, _is_text_or_none, "null or one of the data's models"),
        "convention": _CONVENTION_OR_SCORES,
        "scheduler": _SCHEDULER,
        "dry_run": _switch(False),
    },
    "report": {},
}

"""Weights by region and model, and the JSON that keeps them with what they were fitted on and judged by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ..regions import REGIONS
from .members import FusionError

VERSION = 1
PROBABILITIES, LABELS = "probabilities", "labels"
SOURCES = (PROBABILITIES, LABELS)


@dataclass(frozen=True)
class Weights:
    """Each region's weight of each model.

    ``sources`` says of a model whether its probabilities or its label maps (as 0 and 1) count; a model that is absent
    counts by its probabilities where it has them. ``cases`` are those that the weights were fitted on, ``split`` is
    the hash of models, cases, persons and folds, ``judged`` what nested cross-validation said of each region.
    """

    models: tuple[str, ...]
    regions: Mapping[str, Mapping[str, float]]
    method: str = "stated"
    sources: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = ()
    split: str = ""
    seed: int = 0
    judged: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    version: int = VERSION

    def __post_init__(self) -> None:
        _check(self)

    @property
    def used(self) -> list[str]:
        """The models that have weight in any region."""
        return [model for model in self.models if any(self.regions[region].get(model, 0) for region in REGIONS)]

    def of(self, models: Sequence[str]) -> np.ndarray:
        """Weights ``(model, region)`` of some of the models, for `weighted_mean`.

        Raises FusionError where none of them has weight in a region.
        """
        weights = np.array([[self.regions[region].get(model, 0.0) for region in REGIONS] for model in models])
        for region, total in zip(REGIONS, weights.sum(axis=0) if len(models) else [0.0] * len(REGIONS), strict=True):
            if not total > 0:
                raise FusionError(
                    f"no model that has weight in {region} can be used; it takes one of {self._of(region)}"
                )
        return weights

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def _of(self, region: str) -> str:
        return ", ".join(model for model, weight in self.regions[region].items() if weight)


def read_weights(text: str, where: object) -> Weights:
    """The weights that ``to_json`` wrote; ``where`` names the file in errors.

    Raises FusionError for what is no weights file, one of another version, and weights that say nothing.
    """
    again = f"fit them again with fit-weights, or state weights by hand ({where})"
    try:
        content = json.loads(text)
        version = content["version"]
    except (ValueError, KeyError, TypeError):
        raise FusionError(f"{where}: not a file of weights; name one that fit-weights wrote") from None
    if version != VERSION:
        raise FusionError(f"weights of version {version}, this is {VERSION}: {again}")
    try:
        return Weights(**{**content, "models": tuple(content["models"]), "cases": tuple(content["cases"])})
    except (TypeError, KeyError, AttributeError) as error:
        raise FusionError(f"weights that are damaged ({error}): {again}") from None
    except FusionError as error:
        raise FusionError(f"{error}: {again}") from None


def split_hash(models: Sequence[str], cases: Iterable[tuple[str, str, int]]) -> str:
    """A name for who was fitted on what: SHA-256 of the models and of each case, its person and its fold."""
    content = json.dumps([list(models), sorted([case, person, int(fold)] for case, person, fold in cases)])
    return hashlib.sha256(content.encode()).hexdigest()


def _check(weights: Weights) -> None:
    missing = [region for region in REGIONS if region not in weights.regions]
    if missing:
        raise FusionError(f"weights of {', '.join(missing)} are missing")
    for region in REGIONS:
        _check_region(region, weights.regions[region], weights.models)
    wrong = [source for source in weights.sources.values() if source not in SOURCES]
    if wrong:
        raise FusionError(f"weights of '{wrong[0]}', expected {' or '.join(SOURCES)}")


def _check_region(region: str, of_region: Mapping[str, float], models: Sequence[str]) -> None:
    unknown = [model for model in of_region if model not in models]
    if unknown:
        raise FusionError(f"{region}: weights of {', '.join(unknown)}, which is none of {', '.join(models)}")
    numbers = list(of_region.values())
    sound = all(isinstance(number, int | float) and 0 <= number < float("inf") for number in numbers)
    if not sound or not sum(numbers) > 0:
        raise FusionError(f"{region}: weights are numbers from 0 on, at least one above 0, not {numbers}")

"""Policies: which augmentations a case is seen through, and with what weight; written to a file, or fitted.

A policy file (JSON or YAML) says ``{"transforms": [{"name": "none", "weight": 0.5}, {"name": "flip:x", "weight": 0.3},
{"name": "rotate:z:5", "weight": 0.2}]}``. A name is an item of a list (``augmentation_sets``); where it stands for
several members they share its weight; without a weight it is 1. Weights count in proportion, in the moments alone.

Learning only the test-time policy over a fixed pool is the cheap part of what Li et al. 2023 ("Joint optimization of
class-specific training- and test-time data augmentation in segmentation", TMI) learn together with the training's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..fusion.contested import Contested
from ..fusion.judging import Judgement, held_out_folds, judge
from .augmentation import Augmentation
from .augmentation_sets import another_draw, items_of
from .model import InferenceError

SUFFIXES = (".json", ".yaml", ".yml")
LEAST_SHARE = 1e-3
"""Members whose fitted share is below this are not worth a forward pass."""


def read_policy(path: Path, seed: int = 0) -> tuple[Augmentation, ...]:
    """The weighted augmentations of a policy file. Raises InferenceError naming the file and the entry."""
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InferenceError(f"{path}: no such policy file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InferenceError(f"{path}: not readable as JSON or YAML ({error})") from None
    return policy_members(content, str(path), seed)


def policy_members(content: Any, where: str, seed: int = 0) -> tuple[Augmentation, ...]:
    """The weighted augmentations of a policy's content; ``where`` names it in messages. Raises InferenceError."""
    entries = content.get("transforms") if isinstance(content, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise InferenceError(f'{where}: no policy; write {{"transforms": [{{"name": "flip:x", "weight": 0.5}}]}}')
    weights: dict[Augmentation, float] = {}
    for number, entry in enumerate(entries, start=1):
        name, weight = _entry(entry, f"{where}, transform {number}")
        members = items_of(name, seed)
        for member in members:
            member = another_draw(member, weights)
            weights[member] = weights.get(member, 0.0) + weight / len(members)
    if not any(member.per_tile for member in weights):
        raise InferenceError(f"{where}: the label comes from unchanged or flipped images alone; add 'none'")
    return tuple(replace(member, weight=weight) for member, weight in weights.items())


def _entry(entry: Any, where: str) -> tuple[str, float]:
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise InferenceError(f"{where}: has no name; write an item such as 'flip:x'")
    unknown = ", ".join(str(key) for key in entry if key not in ("name", "weight"))
    if unknown:
        raise InferenceError(f"{where}: '{unknown}' is not known; a transform has a name and a weight")
    weight = entry.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise InferenceError(f"{where}: weight {weight}; use a number above 0, and leave out what shall not count")
    return entry["name"], float(weight)


@dataclass(frozen=True)
class FittedPolicy:
    """``content`` is what a policy file holds. ``judgement``: what it gains on persons that it was not fitted on."""

    content: Mapping[str, Any]
    judgement: Judgement


def fitted_policy(
    pool: Sequence[str],
    cases: Sequence[Contested],
    persons: Sequence[str],
    *,
    method: str = "select",
    folds: int | None = 5,
    fewest: int = 10,
    seed: int = 0,
) -> FittedPolicy:
    """Weights of a pool of single transforms, from predictions of validation cases through each of them alone.

    ``cases``: each region of each case, its members in the order of ``pool``; ``persons``: whose each is. The plain
    mean where nested cross-validation shows no gain (``fusion.judging``), or fewer than ``fewest`` persons are there.
    Raises InferenceError for an item of the pool that stands for several members, or another number of members.
    """
    several = [item for item in pool if len(items_of(item)) != 1]
    if several or not pool:
        raise InferenceError(f"a pool has one member an item; write {', '.join(several) or 'at least one'} apart")
    if any(case.members != len(pool) for case in cases):
        raise InferenceError(f"the pool has {len(pool)} transforms, but not each case was predicted through them all")
    if len(cases) != len(persons):
        raise InferenceError(f"{len(cases)} regions of cases come from {len(persons)} persons; name one for each")
    assigned = held_out_folds(persons, folds, seed) if len(set(persons)) > 1 else [0] * len(cases)
    judgement = judge(cases, persons, assigned, method, seed=seed, fewest=fewest)
    return FittedPolicy({"transforms": _shares(pool, judgement.weights)}, judgement)


def _shares(pool: Sequence[str], weights: Sequence[float]) -> list[dict[str, Any]]:
    """The transforms worth a pass; the first exact one stays with the least share, since the label needs one."""
    kept = {item: float(weight) for item, weight in zip(pool, weights, strict=True) if weight >= LEAST_SHARE}
    exact = [item for item in pool if items_of(item)[0].per_tile]
    if not any(item in kept for item in exact):
        kept = {(exact or ["none"])[0]: LEAST_SHARE, **kept}
    return [{"name": item, "weight": round(weight, 6)} for item, weight in kept.items()]

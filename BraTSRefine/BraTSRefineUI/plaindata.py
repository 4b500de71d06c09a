"""What is known and asked of a case as JSON has it, and back: what is read makes these kinds and runs nothing.

Texts, numbers and lists stay what they are; anything else is an object with one name: ``tuple``, ``map``, ``path``,
``array``, or that of a kind with its fields and what was worked out of it already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np


def noArray(found: Any) -> Any:
    """For what holds no arrays, as a question."""
    raise TypeError("there may be no array here")


def toPlain(what: Any, array: Callable[[np.ndarray], Any] = noArray) -> Any:
    """As JSON has it; ``array`` keeps an array and says where. Raises TypeError for what is of no known kind."""
    if what is None or isinstance(what, str | int | float):
        return what
    if isinstance(what, list):
        return [toPlain(one, array) for one in what]
    if isinstance(what, tuple):
        return {"tuple": [toPlain(one, array) for one in what]}
    if isinstance(what, Mapping):
        return {"map": [[key, toPlain(value, array)] for key, value in what.items()]}
    if isinstance(what, Path):
        return {"path": str(what)}
    if isinstance(what, np.ndarray):
        return {"array": array(what)}
    name = type(what).__name__
    if _kinds().get(name) is not type(what):
        raise TypeError(f"{name} cannot be passed on to another process")
    names = [*_fieldsOf(type(what)), *(known for known in _workedOut(type(what)) if known in vars(what))]
    return {name: {each: toPlain(getattr(what, each), array) for each in names}}


def fromPlain(plain: Any, array: Callable[[Any], np.ndarray] = noArray) -> Any:
    """What ``toPlain`` was given. Raises ValueError or TypeError for what it did not make."""
    if plain is None or isinstance(plain, str | int | float):
        return plain
    if isinstance(plain, list):
        return [fromPlain(one, array) for one in plain]
    ((name, held),) = plain.items()
    if name == "tuple":
        return tuple(fromPlain(one, array) for one in held)
    if name == "map":
        return {key: fromPlain(value, array) for key, value in held}
    if name == "path":
        return Path(held)
    if name == "array":
        return array(held)
    if name not in _kinds():
        raise ValueError(f"nothing is known of a {name}")
    return _made(_kinds()[name], {each: fromPlain(value, array) for each, value in held.items()})


def _made(kind: type, known: dict[str, Any]) -> Any:
    workedOut = {name: known.pop(name) for name in _workedOut(kind) if name in known}
    made = kind(**known)
    vars(made).update(workedOut)
    return made


@cache
def _fieldsOf(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@cache
def _workedOut(kind: type) -> tuple[str, ...]:
    """What is worked out once and kept with the object."""
    return tuple(name for name, value in vars(kind).items() if isinstance(value, cached_property))


@cache
def _kinds() -> dict[str, type]:
    """Every kind that a question or an answer is made of."""
    from BraTSRefineLib.cohort.case import Case, Problem
    from BraTSRefineLib.cohort.volumes import Geometry
    from BraTSRefineLib.cohort.workspace import Workspace
    from BraTSRefineLib.regions import LabelConvention

    from .casedata import CaseData, Image, Labels, UncertaintyMap
    from .maps import MapFile
    from .reading import CaseRead, Reading
    from .vtkarrays import Surface

    asked = Reading, Case, Problem, LabelConvention, MapFile, Workspace
    answered = CaseRead, CaseData, Image, Labels, UncertaintyMap, Surface, Geometry
    return {kind.__name__: kind for kind in (*asked, *answered)}

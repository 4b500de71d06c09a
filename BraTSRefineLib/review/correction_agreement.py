"""How far two readers' corrections of a case agree: Dice by region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohort import Case, Cohort, VolumeError, read_label_map
from ..regions import LabelConvention
from .corrections import file_of
from .flag_types import ReviewError
from .store_events import CORRECTION, Event
from .store_state import standing

CORRECTION_COLUMNS = ["case", "model", "region", "reader_1", "reader_2", "dice", "status"]


def newest_corrections(events: Iterable[Event]) -> dict[tuple[str, str], dict[str, Event]]:
    """Each reader's newest correction that counts, by case and model; only where two readers have one."""
    found: dict[tuple[str, str], dict[str, Event]] = {}
    for event in standing(events):
        if event.kind == CORRECTION:
            found.setdefault((event.case, event.model), {})[event.who] = event
    return {where: by for where, by in found.items() if len(by) > 1}


def correction_agreement(events: Iterable[Event], cohort: Cohort, workspace: Path) -> pd.DataFrame:
    """A row a pair of corrections and region: ``CORRECTION_COLUMNS``; ``status`` says why a Dice is missing."""
    cases = {case.case: case for case in cohort.cases}
    rows = []
    for (name, model), by in newest_corrections(events).items():
        read = cache(read_label_map)
        for one, other in combinations(sorted(by), 2):
            start = {"case": name, "model": model, "reader_1": one, "reader_2": other}
            pair = [by[who] for who in (one, other)]
            rows += [start | row for row in _pair(cases.get(name), model, pair, Path(workspace), read)]
    return pd.DataFrame(rows, columns=CORRECTION_COLUMNS)


def _pair(
    case: Case | None, model: str, pair: list[Event], workspace: Path, read: Callable[[Path], np.ndarray]
) -> list[dict[str, object]]:
    convention = case.convention_of(model) if case is not None else None
    if convention is None:
        return [_missing("the cohort has no such case, or does not know its labels")]
    try:
        one, other = (read(file_of(event, workspace)) for event in pair)
    except (ReviewError, VolumeError, OSError) as error:
        return [_missing(str(error))]
    if one.shape != other.shape:
        return [_missing(f"shapes differ: {one.shape} and {other.shape}")]
    return [_dice(one, other, convention, region) for region in convention.scored_regions]


def _missing(why: str) -> dict[str, object]:
    return {"region": "", "dice": np.nan, "status": why}


def _dice(one: np.ndarray, other: np.ndarray, convention: LabelConvention, region: str) -> dict[str, object]:
    masks = convention.mask(one, region), convention.mask(other, region)
    volume = sum(int(mask.sum()) for mask in masks)
    if not volume:
        return {"region": region, "dice": 1.0, "status": "both empty"}
    return {"region": region, "dice": 2 * int((masks[0] & masks[1]).sum()) / volume, "status": "ok"}

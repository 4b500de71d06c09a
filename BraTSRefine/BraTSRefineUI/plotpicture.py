"""What a plot shows: cases as points in series, with axes in words. No Qt, no MRML.

What has no point to show is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .casecolumns import CENTER, SIZE, CaseColumns, Key
from .runs import Change

SCATTER, BY_REGION, BY_SIZE, BY_CENTER, BEFORE_AFTER = "scatter", "region", "size", "centre", "before and after"
SERIES_COLOURS = ("#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#999999", "#D55E00")
MARKERS = ("circle", "square", "diamond", "plus", "cross")
NO_CENTER = "unknown"
STRIP_WIDTH = 0.32
MARGIN = 0.06
FEW = 2
GOLDEN = 0.6180339887
BINS, FEWEST_ABREAST = 30, 10


@dataclass(frozen=True)
class Series:
    """Cases of one kind: ``xs`` and ``ys`` of each of ``cases``."""

    name: str
    cases: tuple[str, ...]
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    colour: str
    marker: str = MARKERS[0]


@dataclass(frozen=True)
class Picture:
    """Series of points, perhaps a line of equality; ``ticks`` name places along x."""

    xTitle: str
    yTitle: str
    series: tuple[Series, ...]
    xRange: tuple[float, float]
    yRange: tuple[float, float]
    ticks: tuple[tuple[float, str], ...] = ()
    hasDiagonal: bool = False

    @cached_property
    def places(self) -> dict[str, list[tuple[float, float]]]:
        """Where each case lies; once a region in the strips by region."""
        places: dict[str, list[tuple[float, float]]] = {}
        for one in self.series:
            for case, x, y in zip(one.cases, one.xs, one.ys, strict=True):
                places.setdefault(case, []).append((x, y))
        return places


@dataclass(frozen=True)
class Axis:
    """Numbers along one side: the column, its words with the unit, and whether it runs from 0 to 1."""

    key: Key
    words: str
    isShare: bool = False

    def limits(self, values: np.ndarray) -> tuple[float, float]:
        """A range with some room, beginning at 0 unless a number is below."""
        return limits(values, self.isShare)

    def span(self, values: np.ndarray) -> float:
        """How much of the numbers the axis shows."""
        low, high = self.limits(values[np.isfinite(values)])
        return high - low


def limits(values: np.ndarray, isShare: bool = False) -> tuple[float, float]:
    low, high = (0.0, 1.0) if isShare else (min(0.0, float(values.min())), float(values.max()))
    room = MARGIN * ((high - low) or 1.0)
    return low - room, high + room


def scatter(columns: CaseColumns, x: Axis, y: Axis, rows: Sequence[int]) -> Picture | None:
    """One number against another, a series a centre."""
    xs, ys = columns.numbers(x.key), columns.numbers(y.key)
    kept = [row for row in rows if math.isfinite(xs[row]) and math.isfinite(ys[row])]
    if not kept:
        return None
    series = _byCenter(columns, kept, xs, ys)
    return Picture(x.words, y.words, tuple(series), x.limits(xs[kept]), y.limits(ys[kept]))


def strips(columns: CaseColumns, y: Axis, groups: Sequence[tuple[str, Sequence[int]]], words: str) -> Picture | None:
    """The numbers of each group in a strip of its own; what lies close together is spread sideways."""
    ys = columns.numbers(y.key)
    series, ticks = [], []
    for place, (name, rows) in enumerate(groups):
        kept = [row for row in rows if math.isfinite(ys[row])]
        ticks.append((float(place), f"{name} ({len(kept)})"))
        if kept:
            series.append(_strip(columns, name, kept, ys, place, y.span(ys)))
    return _ofStrips(series, ticks, words, y)


def stripsByRegion(columns: CaseColumns, axes: Sequence[Axis], rows: Sequence[int], words: str) -> Picture | None:
    """One metric in each region, a strip a region."""
    series, ticks = [], []
    for place, axis in enumerate(axes):
        ys = columns.numbers(axis.key)
        kept = [row for row in rows if math.isfinite(ys[row])]
        ticks.append((float(place), f"{axis.key.region} ({len(kept)})"))
        if kept:
            series.append(_strip(columns, axis.key.region, kept, ys, place, axis.span(ys)))
    metric = Axis(axes[0].key, words, axes[0].isShare)
    return _ofStrips(series, ticks, "", metric)


def byCenter(columns: CaseColumns, rows: Sequence[int]) -> list[tuple[str, list[int]]]:
    """The rows of each centre, by name; those of no centre last."""
    centers = columns.texts(Key(CENTER))
    names = sorted({centers[row] for row in rows}, key=lambda name: (not name, name))
    return [(name or NO_CENTER, [row for row in rows if centers[row] == name]) for name in names]


def bySizeThirds(columns: CaseColumns, rows: Sequence[int], region: str) -> list[tuple[str, list[int]]]:
    """The rows in thirds of the region's size, with the limits in ml; empty where sizes are unknown or too few."""
    sizes = columns.numbers(Key(SIZE, region))
    known = [row for row in rows if math.isfinite(sizes[row])]
    if len(known) < 3:
        return []
    first, second = np.quantile(sizes[known], (1 / 3, 2 / 3))
    words = (f"to {_short(first)} ml", f"{_short(first)}-{_short(second)} ml", f"over {_short(second)} ml")
    third = np.digitize(sizes[known], (first, second), right=True)
    return [(words[i], [row for row, place in zip(known, third, strict=True) if place == i]) for i in range(3)]


def beforeAfter(
    changes: Sequence[Change], cases: set[str], axes: tuple[str, str], groups: tuple[str, str, str]
) -> Picture | None:
    """Each case before (x) and after (y) a run: better, worse and equal ones apart; ``groups`` names them."""
    known = [change for change in changes if change.isKnown and change.case in cases]
    if not known:
        return None
    parts = (
        (groups[0], SERIES_COLOURS[1], [c for c in known if c.change > 0]),
        (groups[1], SERIES_COLOURS[5], [c for c in known if c.change < 0]),
        (groups[2], SERIES_COLOURS[4], [c for c in known if c.change == 0]),
    )
    series = [
        Series(
            f"{name} ({len(part)})",
            tuple(c.case for c in part),
            tuple(c.before for c in part),
            tuple(c.after for c in part),
            colour,
            MARKERS[place],
        )
        for place, (name, colour, part) in enumerate(parts)
        if part
    ]
    span = limits(np.zeros(1), isShare=True)
    return Picture(axes[0], axes[1], tuple(series), span, span, hasDiagonal=True)


def _byCenter(columns: CaseColumns, rows: Sequence[int], xs: np.ndarray, ys: np.ndarray) -> list[Series]:
    groups = byCenter(columns, rows)
    return [
        Series(
            f"{name} ({len(held)})" if len(groups) > 1 or name != NO_CENTER else f"{len(held)} cases",
            tuple(columns.cases[row] for row in held),
            tuple(xs[held].tolist()),
            tuple(ys[held].tolist()),
            SERIES_COLOURS[place % len(SERIES_COLOURS)],
            MARKERS[place // len(SERIES_COLOURS) % len(MARKERS)],
        )
        for place, (name, held) in enumerate(groups)
    ]


def _strip(columns: CaseColumns, name: str, rows: Sequence[int], ys: np.ndarray, place: int, span: float) -> Series:
    values = ys[list(rows)]
    return Series(
        f"{name} ({len(rows)})",
        tuple(columns.cases[row] for row in rows),
        tuple((place + STRIP_WIDTH * spread(values, span)).tolist()),
        tuple(values.tolist()),
        SERIES_COLOURS[place % len(SERIES_COLOURS)],
    )


def spread(values: np.ndarray, span: float) -> np.ndarray:
    """Places between -1 and 1 beside the middle of a strip: the more values near one, the wider; always the same.

    ``span`` is what the axis shows, so that near means near on the screen.
    """
    if len(values) < FEW:
        return np.zeros(len(values))
    bins = np.floor((values - values.min()) / (span or 1.0) * BINS).astype(int)
    offsets = np.zeros(len(values))
    largest = max(np.bincount(bins).max(), FEWEST_ABREAST)
    for one in np.unique(bins):
        members = np.flatnonzero(bins == one)
        members = members[np.argsort(np.arange(len(members)) * GOLDEN % 1.0)]  # else sorted values make chevrons
        places = np.arange(len(members))
        side = np.where(places % 2, 1.0, -1.0) * ((places + 1) // 2)
        offsets[members] = side / ((largest + 1) // 2)
    return offsets


def _ofStrips(series: list[Series], ticks: list[tuple[float, str]], words: str, y: Axis) -> Picture | None:
    if not series:
        return None
    values = np.array([value for one in series for value in one.ys])
    across = (-0.6, len(ticks) - 0.4)
    return Picture(words, y.words, tuple(series), across, y.limits(values), tuple(ticks))


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"

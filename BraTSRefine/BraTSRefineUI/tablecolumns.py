"""The columns of the table of worst cases: which stand there, their headings, their cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from slicer.i18n import tr as _

from . import colours, overview, tables
from .casecolumns import CASE, CENTER, DECISION, MEAN_RANK, PATTERN, RANK_SUM, RANKS, SIZE, CaseColumns, Key
from .measures import DICE, HD95, measure, unitOf
from .panel import Cell

NAME_LENGTH, CENTER_LENGTH = 11, 8
BAD_GROUND, DOUBTFUL_GROUND = f"#55{colours.BAD[1:]}", f"#40{colours.DOUBTFUL[1:]}"
"""Tints behind a number, which stays readable in light and dark; the first two digits are how opaque."""

OPTIONAL = (SIZE, CENTER, DECISION, PATTERN)
"""What stands there by itself and can be left out."""


@dataclass(frozen=True)
class Chosen:
    """What a person changed of the columns: ``added`` keys, and which of ``OPTIONAL`` are left out."""

    added: tuple[Key, ...] = ()
    leftOut: frozenset[str] = field(default_factory=frozenset)

    def words(self) -> list[str]:
        """As they are kept in the settings."""
        return [*map(str, self.added), *(f"-{name}" for name in sorted(self.leftOut))]

    @classmethod
    def read(cls, words: Sequence[str]) -> Chosen:
        added = tuple(Key.read(word) for word in words if not word.startswith("-"))
        leftOut = frozenset(word[1:] for word in words if word.startswith("-"))
        return cls(tuple(key for key in added if key.name), leftOut & frozenset(OPTIONAL))

    def without(self, key: Key) -> Chosen:
        return Chosen(tuple(one for one in self.added if one != key), self.leftOut)

    def having(self, key: Key) -> Chosen:
        return Chosen((*self.without(key).added, key), self.leftOut)

    def toggled(self, name: str, isShown: bool) -> Chosen:
        """With one of ``OPTIONAL`` shown or left out."""
        return Chosen(self.added, self.leftOut - {name} if isShown else self.leftOut | {name})


class TableColumn:
    """One column: its key, its heading, what the heading says on hover, and the cell of a row."""

    def __init__(self, columns: CaseColumns, key: Key, isRanked: bool = False, isAdded: bool = False) -> None:
        self.key = key
        self.heading = headingOf(key, isAdded)
        self._columns, self._convention = columns, columns.convention(key)
        explained = columns.how.explained(self._convention)
        self.tip = f"{wordsOf(key)}\n{explained}".strip()
        self._worst, self._middle = self._thirds() if isRanked else (-math.inf, -math.inf)
        self._short = overview.shortNames(columns.cases) if key.name == CASE else {}

    def cell(self, row: int) -> Cell:
        if self.key.isText:
            return self._words(self._columns.rows[row], self._columns.texts(self.key)[row])
        return self._number(self._columns.rows[row], float(self._columns.numbers(self.key)[row]))

    def _words(self, row: tables.CaseRow, text: str) -> Cell:
        if self.key.name == CASE:
            return Cell(overview.cutInside(self._short[text], NAME_LENGTH), text)
        if self.key.name == CENTER:
            return Cell(overview.cutInside(text, CENTER_LENGTH), text)
        isBroken = self.key.name == PATTERN and row.isBroken
        return Cell(text, row.error if isBroken else text, colours.BAD if isBroken else "")

    def _number(self, row: tables.CaseRow, value: float) -> Cell:
        text = numberOf(self.key, value)
        if self.key.name == SIZE:
            against = row.versus or _("reference")
            words = _("{text} ml in the {versus}").format(text=text, versus=against)
            how = self._howOf(row)
            return Cell(text, f"{words}, {how}" if how else words, "", True)
        if self.key.name in RANKS:
            return Cell(text, wordsOf(self.key), "", True)
        good = measure(self.key.name).goodness(value)
        ground = BAD_GROUND if good <= self._worst else DOUBTFUL_GROUND if good <= self._middle else ""
        star = "*" if row.versus and self.key.name == DICE else ""
        return Cell(text + star, row.tipOf(text, self._howOf(row)), "", True, ground)

    def _howOf(self, row: tables.CaseRow) -> str:
        return self._columns.how.words(self._convention, row.case)

    def _thirds(self) -> tuple[float, float]:
        known, values = measure(self.key.name), self._columns.numbers(self.key)
        return tables.thirds([known.goodness(value) for value in values.tolist() if math.isfinite(value)])


def tableColumns(columns: CaseColumns, metric: str, chosen: Chosen) -> list[TableColumn]:
    """Case, the metric, Dice or (beside Dice) HD95, what was added, size, centre, decision, what is wrong.

    Of those that can be left out the empty ones are.
    """
    region = columns.region
    ranked, beside = Key(metric, region), Key(HD95 if metric == DICE else DICE, region)
    made = [TableColumn(columns, Key(CASE)), TableColumn(columns, ranked, isRanked=True), TableColumn(columns, beside)]
    added = [key for key in chosen.added if key not in (ranked, beside)]
    made += [TableColumn(columns, key, isAdded=True) for key in added]
    own = {SIZE: Key(SIZE, region), CENTER: Key(CENTER), DECISION: Key(DECISION), PATTERN: Key(PATTERN)}
    for name, key in own.items():
        isWanted = name not in chosen.leftOut and key not in added
        if isWanted and (name in (SIZE, PATTERN) or columns.has(key)):
            made.append(TableColumn(columns, key))
    return made


def headingOf(key: Key, withRegion: bool = False) -> str:
    """In one or two short lines; a column that was added tells its region."""
    fixed = {
        CASE: _("Case"),
        CENTER: _("Centre"),
        PATTERN: _("What is wrong"),
        DECISION: _("Decision"),
        MEAN_RANK: _("Mean\nrank"),
        RANK_SUM: _("Rank\nsum"),
    }
    if key.name in fixed:
        return fixed[key.name]
    heading = _("Size\nml") if key.name == SIZE else _(measure(key.name).heading)
    first, _line, rest = heading.partition("\n")
    return f"{first} {key.region}\n{rest}".strip() if withRegion else heading


def wordsOf(key: Key) -> str:
    """What a column holds, for the chooser, a hover and the axis of a plot, with its unit."""
    fixed = {
        CASE: _("case"),
        CENTER: _("centre"),
        PATTERN: _("what is wrong"),
        DECISION: _("decision of the review"),
        MEAN_RANK: _("mean rank over Dice and HD95 of all regions (1 is the worst case)"),
        RANK_SUM: _("rank sum among the models, as in the BraTS challenges (the largest is the worst)"),
    }
    if key.name in fixed:
        return fixed[key.name]
    words = _("size in the reference") if key.name == SIZE else _(measure(key.name).words)
    unit = unitOf(key.name)
    return f"{words}, {key.region} ({unit})" if unit else f"{words}, {key.region}"


def numberOf(key: Key, value: float) -> str:
    """The number as it stands in the table."""
    if key.name in RANKS:
        return tables.number(value, 1)
    return tables.milliliters(value) if key.name == SIZE else tables.number(value, measure(key.name).decimals)

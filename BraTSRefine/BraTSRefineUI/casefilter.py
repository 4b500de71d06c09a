"""What is typed into the filter: plain words, ``dice<0.5``, ``size>=5 centre:B``, ``-missed``. No Qt, no MRML.

All conditions must hold. A name may carry its region, ``dice.WT<0.5``; without one the chosen region counts.
``centre:A,B`` is A or B, ``hd95=-`` has no number, a ``-`` in front means not, "two words" belong together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .casecolumns import CASE, CENTER, DECISION, MEAN_RANK, PATTERN, RANK_SUM, SIZE, CaseColumns, Key

TEXT_NAMES = {
    "case": CASE,
    "centre": CENTER,
    "center": CENTER,
    "wrong": PATTERN,
    "pattern": PATTERN,
    "decision": DECISION,
}
NUMBER_NAMES = {
    "size": SIZE,
    "volume": SIZE,
    "hd95": "hd95_mm",
    "assd": "assd_mm",
    "error": "volume_error_ml",
    "rank": MEAN_RANK,
    "meanrank": MEAN_RANK,
    "ranksum": RANK_SUM,
}
OFFERED = "case, centre, wrong, decision, size, dice, hd95, rank, ranksum"
TOKEN = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
CONDITION = re.compile(r"([A-Za-z][\w.]*)(<=|>=|!=|<|>|=|:)(.*)", re.DOTALL)
NUMBER = re.compile(r"([-+]?\d*[.,]?\d+(?:e[-+]?\d+)?)\s*(ml|mm|%)?", re.IGNORECASE)
UNKNOWN = "-"
COMPARE = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "=": np.isclose,
    ":": np.isclose,
    "!=": lambda values, number: np.isfinite(values) & ~np.isclose(values, number),
}


@dataclass(frozen=True)
class Filtered:
    """Which rows hold what was typed, and what of it was not understood; that part is passed over.

    ``known`` names all numbers that there are, where an unknown one was asked for.
    """

    rows: np.ndarray
    problem: str = ""
    known: str = ""


class _Misread(Exception):
    """A part of the filter that means nothing yet; the message says what is missing."""

    def __init__(self, message: str, known: str = "") -> None:
        super().__init__(message)
        self.known = known


def filtered(columns: CaseColumns, text: str) -> Filtered:
    """The rows that hold all conditions of the text; all rows for an empty one. Nothing typed makes it fail."""
    kept = np.ones(len(columns), dtype=bool)
    problems = []
    for token in TOKEN.findall(text):
        try:
            kept &= _rows(columns, token)
        except _Misread as misread:
            problems.append(misread)
    return Filtered(kept, str(problems[0]), problems[0].known) if problems else Filtered(kept)


def _rows(columns: CaseColumns, token: str) -> np.ndarray:
    if token.startswith("-") and len(token) > 1:
        return ~_rows(columns, token[1:])
    found = CONDITION.fullmatch(token)
    if found is None:
        return _contains(columns, _unquoted(token))
    name, sign, value = found[1], found[2], _unquoted(found[3])
    if name.lower() in TEXT_NAMES:
        return _byText(columns, TEXT_NAMES[name.lower()], sign, value, name)
    return _byNumber(columns, _key(columns, name), sign, value, name)


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _contains(columns: CaseColumns, word: str) -> np.ndarray:
    """Rows whose case, centre, words or decision contain the word."""
    word = word.casefold()
    texts = zip(*(columns.texts(Key(name)) for name in (CASE, CENTER, PATTERN, DECISION)), strict=True)
    return np.array([word in " ".join(row).casefold() for row in texts], dtype=bool)


def _byText(columns: CaseColumns, column: str, sign: str, value: str, name: str) -> np.ndarray:
    """``:`` contains, ``=`` is, ``!=`` is not; alternatives are parted by commas."""
    if sign not in (":", "=", "!="):
        raise _Misread(f"{name} is words, not a number: write {name}:{value or 'word'}")
    wanted = [part.strip().casefold() for part in value.split(",") if part.strip()]
    if not wanted:
        raise _Misread(f"{name}{sign} needs a word, as in {name}{sign}B")
    texts = [text.casefold() for text in columns.texts(Key(column))]
    if sign == ":":
        held = [any(part in text or (part == UNKNOWN and not text) for part in wanted) for text in texts]
        return np.array(held, dtype=bool)
    same = np.array([text in wanted or (UNKNOWN in wanted and not text) for text in texts], dtype=bool)
    return same if sign == "=" else ~same


def _byNumber(columns: CaseColumns, key: Key, sign: str, value: str, name: str) -> np.ndarray:
    values = columns.numbers(key)
    if value == UNKNOWN and sign in ("=", ":", "!="):
        return np.isfinite(values) if sign == "!=" else ~np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.isfinite(values) & COMPARE[sign](values, _number(value, f"{name}{sign}"))


def _number(value: str, asked: str) -> float:
    found = NUMBER.fullmatch(value.strip())
    if found is None:
        given = f", not '{value}'" if value.strip() else ""
        raise _Misread(f"{asked} needs a number{given}, as in {asked}5")
    number = float(found[1].replace(",", "."))
    return number / 100 if found[2] == "%" else number


def _key(columns: CaseColumns, name: str) -> Key:
    """The column that is meant: ``dice``, ``Dice.WT``, ``wt.dice``, ``nsd_1mm``."""
    regions = {region.lower(): region for region in columns.regions()}
    parts = name.lower().split(".")
    region = next((regions[part] for part in parts if part in regions), columns.region)
    rest = ".".join(part for part in parts if part not in regions)
    metric = NUMBER_NAMES.get(rest, rest)
    if metric in (MEAN_RANK, RANK_SUM):
        key = Key(metric)
        if not columns.has(key):
            raise _Misread(columns.rankProblem or f"there is no {metric} before the cohort is scored")
        return key
    if metric not in columns.metrics():
        scored = columns.metrics()
        unscored = "" if scored else "; the cohort is not scored yet"
        raise _Misread(f"there is no '{name}': try {OFFERED}{unscored}", ", ".join(scored))
    return Key(metric, region)

"""A flag in plain words: why it was flagged, and its figures."""

from __future__ import annotations

from slicer.i18n import tr as _

from . import tables
from .casedata import FALSE_NEGATIVE, FALSE_POSITIVE
from .tables import FlagRow

NOTEWORTHY = 0.5
"""The share of a flag that errs in one way from which that way is named first."""


def quantityWords(flag: FlagRow) -> str:
    """What made it stand out."""
    own = {
        "variance": _("folds and augmentations (TTA) vary"),
        "disagreement": _("folds and augmentations (TTA) disagree"),
    }
    across = {
        "variance": _("members vary"),
        "disagreement": _("members disagree"),
    }
    either = {
        "entropy": _("low confidence"),
        "expected_entropy": _("each member is unsure"),
        "mutual_information": _("members contradict each other"),
        "error_risk": _("such places are often wrong"),
    }
    known = (own if flag.model else across) | either
    return known.get(flag.quantity, flag.quantity.replace("_", " "))


def short(flag: FlagRow, errors: dict[int, float] | None) -> str:
    """For a cell; where a reference says so what it is, else what it may be, then what made it stand out."""
    kind = _errorKind(flag, errors) or flag.kind
    return " · ".join(part for part in (kind, quantityWords(flag)) if part)


def figures(flag: FlagRow, number: int, errors: dict[int, float] | None) -> str:
    """For a line of its own."""
    words = _("{number} · {region} {ml} ml · {quantity} {mean}, max {maximum} · {what}").format(
        number=number,
        region=flag.region,
        ml=tables.milliliters(flag.milliliters),
        quantity=flag.quantity.replace("_", " "),
        mean=tables.number(flag.mean),
        maximum=tables.number(flag.maximum),
        what=short(flag, errors),
    )
    return f"{words} · {_errorWords(errors)}" if errors else words


def whole(flag: FlagRow, number: int, errors: dict[int, float] | None) -> str:
    """For hovering: the figures and the reason in full."""
    return f"{figures(flag, number, errors)}\n{flag.why[:1].upper()}{flag.why[1:]}."


def _errorWords(errors: dict[int, float]) -> str:
    words = _("reference: {over} ml too much, {under} ml missed")
    over, under = tables.milliliters(errors[FALSE_POSITIVE]), tables.milliliters(errors[FALSE_NEGATIVE])
    return words.format(over=over, under=under)


def _errorKind(flag: FlagRow, errors: dict[int, float] | None) -> str:
    if not errors or not flag.milliliters:
        return ""
    if errors[FALSE_POSITIVE] >= NOTEWORTHY * flag.milliliters:
        return _("false positive")
    if errors[FALSE_NEGATIVE] >= NOTEWORTHY * flag.milliliters:
        return _("false negative")
    return ""

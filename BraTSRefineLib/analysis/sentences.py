"""The errors of a case in plain words: what is wrong, and what it calls for."""

from __future__ import annotations

from typing import NamedTuple

from .errors import RegionError

TELLING_SHARE = 0.3
"""A pattern names the error where it makes up this share of the wrong volume."""

GOOD_DICE = 0.8
SPECK_ML = 0.01
FLOOD = 2.0
"""A prediction of more than this many times the reference's volume is a flood."""

BALANCED = 2.0
"""One kind of error dominates where it is this many times the other."""


class Verdict(NamedTuple):
    """What is wrong with a prediction, and what it calls for; ``calls_for`` is empty where nothing is."""

    wrong: str
    calls_for: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.calls_for}" if self.calls_for else self.wrong


def verdict(error: RegionError, *, against: str = "reference") -> Verdict:
    """The pattern that explains most of the error, the first that fits: emptiness, far or missed pieces, extent.

    ``against`` names what the prediction was compared with: "reference" or "consensus".
    """
    patterns = (_empty, _perfect, _far, _missed, _boundary, _flood, _too_large, _too_small, _elsewhere)
    found = next(verdict for verdict in (pattern(error) for pattern in patterns) if verdict)
    return Verdict(found.wrong.replace("the reference", f"the {against}"), found.calls_for)


def case_sentence(error: RegionError, *, against: str = "reference") -> str:
    """One line for the case card: ``ET missed altogether (0.22 ml): lower the ET threshold or add members``."""
    return str(verdict(error, against=against))


def ml(volume: float) -> str:
    """A volume with two significant digits; whole ml from 10 on."""
    if volume >= 10:
        return f"{volume:.0f} ml"
    return f"{float(f'{volume:.2g}'):g} ml" if volume >= 0.001 else "under 0.001 ml"


def _empty(error: RegionError) -> Verdict | None:
    region = error.region
    if not error.reference_ml and not error.prediction_ml:
        return Verdict(f"no {region} in the reference and none predicted", "")
    if not error.reference_ml:
        return Verdict(
            f"{region} of {ml(error.prediction_ml)} predicted where the reference has none",
            f"raise the {region} threshold, or drop {region} below a least volume",
        )
    if not error.prediction_ml:
        return Verdict(
            f"{region} missed altogether ({ml(error.reference_ml)})",
            f"lower the {region} threshold or add members",
        )
    return None


def _perfect(error: RegionError) -> Verdict | None:
    return None if error.wrong_ml else Verdict(f"{error.region} is identical to the reference", "")


def _far(error: RegionError) -> Verdict | None:
    telling = error.far_ml >= TELLING_SHARE * error.wrong_ml or (error.dice >= GOOD_DICE and error.far_ml >= SPECK_ML)
    if not telling or not error.far_count:
        return None
    if error.far_count == 1:
        wrong = f"far false positive of {ml(error.far_ml)}, {error.far_mm:.0f} mm from the tumour"
    else:
        wrong = f"{error.far_count} far false positives, {ml(error.far_ml)} in all, up to {error.far_mm:.0f} mm away"
    if error.far_ml > error.reference_ml:
        advice = "that is more than the region itself: check the images' normalisation, or add members"
        return Verdict(f"{error.region}: {wrong}", advice)
    return Verdict(f"{error.region}: {wrong}", "remove small components")


def _missed(error: RegionError) -> Verdict | None:
    if not error.missed_count or error.missed_ml < TELLING_SHARE * error.wrong_ml:
        return None
    parts = "the only part" if error.reference_count == 1 else f"{error.missed_count} of {error.reference_count} parts"
    return Verdict(
        f"{error.region}: {parts} missed ({ml(error.missed_ml)} of {ml(error.reference_ml)})",
        f"lower the {error.region} threshold or add members, and keep small components",
    )


def _boundary(error: RegionError) -> Verdict | None:
    if not error.boundary_only:
        return None
    difference = error.prediction_ml - error.reference_ml
    balance = "" if abs(difference) < 0.02 * error.reference_ml else f", {ml(abs(difference))} too "
    balance += "" if not balance else "large" if difference > 0 else "small"
    return Verdict(
        f"{error.region}: boundary only, within {error.boundary_mm:.2g} mm of the reference{balance}",
        _boundary_fix(difference),
    )


def _boundary_fix(difference: float) -> str:
    threshold = "raise" if difference > 0 else "lower"
    return f"add members, {threshold} the threshold a little, or train with a boundary loss"


def _flood(error: RegionError) -> Verdict | None:
    if error.prediction_ml < FLOOD * error.reference_ml:
        return None
    return Verdict(
        f"{error.region} floods: {ml(error.prediction_ml)} predicted for {ml(error.reference_ml)}",
        f"check the images' normalisation, raise the {error.region} threshold or add members",
    )


def _too_large(error: RegionError) -> Verdict | None:
    if error.false_positive_ml < BALANCED * error.false_negative_ml:
        return None
    return Verdict(
        f"{error.region} too large: {ml(error.false_positive_ml)} too much, "
        f"{_share(error.false_positive_ml, error.reference_ml)} of the reference",
        f"raise the {error.region} threshold or add members",
    )


def _too_small(error: RegionError) -> Verdict | None:
    if error.false_negative_ml < BALANCED * error.false_positive_ml:
        return None
    return Verdict(
        f"{error.region} too small: {ml(error.false_negative_ml)} not found, "
        f"{_share(error.false_negative_ml, error.reference_ml)} of the reference",
        f"lower the {error.region} threshold or add members",
    )


def _elsewhere(error: RegionError) -> Verdict:
    return Verdict(
        f"{error.region}: {ml(error.false_positive_ml)} too much in one place, "
        f"{ml(error.false_negative_ml)} missing in another",
        "look at labels and alignment, add members, or correct by hand",
    )


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f} %"

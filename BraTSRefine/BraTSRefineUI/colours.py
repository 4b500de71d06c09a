"""Colours that colour-blind readers tell apart (Okabe and Ito, https://jfly.uni-koeln.de/color/) and an even scale."""

from __future__ import annotations

from collections.abc import Sequence

REFERENCE = "#56B4E9"
PREDICTION = "#E69F00"
SECOND_PREDICTION = "#009E73"
FALSE_POSITIVE = "#D55E00"
FALSE_NEGATIVE = "#0072B2"
WRONG_CLASS = "#CC79A7"
CONFUSED_AWAY = "#F0E442"
TEXT = "#F0F0F0"
QUIET_TEXT = "#B8B8B8"
UNCERTAIN = "#6ECE58"
BETTER = "#3E9B6C"
DOUBTFUL = "#B5851F"
BAD = "#D9603F"

# Ten evenly spaced colours of viridis (van der Walt and Smith, matplotlib, CC0).
VIRIDIS = (
    "#440154", "#482878", "#3E4989", "#31688E", "#26828E",
    "#1F9E89", "#35B779", "#6ECE58", "#B5DE2B", "#FDE725",
)  # fmt: skip

# Blue and vermilion of the errors, each through a light tint of its own; the middle is a light grey.
DIVERGING = (FALSE_NEGATIVE, "#5AA5D6", "#E8E8E8", "#F0A070", FALSE_POSITIVE)


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue between 0 and 1 of ``#RRGGBB``."""
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def viridis(count: int = 256) -> list[tuple[float, float, float]]:
    """``count`` colours of viridis, interpolated linearly between its ten knots."""
    return [_between(i * (len(VIRIDIS) - 1) / (count - 1)) for i in range(count)]


def diverging(count: int = 256) -> list[tuple[float, float, float]]:
    """``count`` colours from what is missing over grey, where nothing is wrong, to what is too much."""
    return [_between(i * (len(DIVERGING) - 1) / (count - 1), DIVERGING) for i in range(count)]


def _between(position: float, knots: Sequence[str] = VIRIDIS) -> tuple[float, float, float]:
    left = min(int(position), len(knots) - 2)
    share = position - left
    return tuple((1 - share) * a + share * b for a, b in zip(rgb(knots[left]), rgb(knots[left + 1]), strict=True))

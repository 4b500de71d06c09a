"""Which of the two engines computes the surface distances; both give the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from .conventions import ScoringError
from .packing import Packed
from .surface import SurfacePair

ENGINES = ("auto", "numba", "scipy")


def surface_pairs(
    packed: Packed, regions: list[int], spacing: tuple[float, ...], engine: str
) -> dict[int, SurfacePair]:
    """The surface distances of each of ``regions`` (indices into ``packed``; both masks hold voxels)."""
    if not regions:
        return {}
    pairs = engine_named(engine)(packed, regions, spacing)
    ties = [region for region, pair in pairs.items() if pair.is_tie()]
    return pairs | (engine_named("scipy")(packed, ties, spacing) if ties else {})


def engine_named(engine: str) -> Callable[..., dict[int, SurfacePair]]:
    """The function behind an engine's name; ``auto`` is numba where it is installed.

    Raises ScoringError for another name or where numba is asked for and missing.
    """
    name = chosen_engine(engine)
    if name == "numba":
        from .numba_engine import surface_pairs as by_numba

        return by_numba
    from .scipy_engine import surface_pairs as by_scipy

    return by_scipy


def chosen_engine(engine: str) -> str:
    """``numba`` or ``scipy``. Raises ScoringError for an unknown engine or where numba is asked for and missing."""
    if engine not in ENGINES:
        raise ScoringError(f"unknown engine '{engine}': use one of {', '.join(ENGINES)}")
    installed = engine != "scipy" and find_spec("numba") is not None
    if engine == "numba" and not installed:
        raise ScoringError("engine 'numba' is not installed: install numba, or use engine 'scipy'")
    return "numba" if installed else "scipy"

"""Which of the two engines computes the surface distances; both give the same numbers."""

from __future__ import annotations

import multiprocessing
from importlib.util import find_spec

from .conventions import ScoringError
from .packing import Packed
from .surface import FACES, SurfacePair
from .workers import default_workers

ENGINES = ("auto", "numba", "scipy")


def surface_pairs(
    packed: Packed, regions: list[int], spacing: tuple[float, ...], engine: str, surface: str = FACES
) -> dict[int, SurfacePair]:
    """The surface distances of each of ``regions`` (indices into ``packed``; both masks hold voxels).

    ``surface`` is ``faces`` or ``edges``. Raises ScoringError for an unknown engine.
    """
    if not regions:
        return {}
    from .scipy_engine import surface_pairs as by_scipy

    if chosen_engine(engine) == "scipy":
        return by_scipy(packed, regions, spacing, surface)
    from .numba_engine import surface_pairs as by_numba

    pairs = by_numba(packed, regions, spacing, surface, _threads())
    ties = [region for region, pair in pairs.items() if pair.is_tie()] if surface == FACES else []
    return pairs | (by_scipy(packed, ties, spacing, surface) if ties else {})


def _threads() -> int:
    """All cores for a process that works alone, one for each of several workers."""
    return 1 if multiprocessing.parent_process() else default_workers()


def chosen_engine(engine: str) -> str:
    """``numba`` or ``scipy``. Raises ScoringError for an unknown engine or where numba is asked for and missing."""
    if engine not in ENGINES:
        raise ScoringError(f"unknown engine '{engine}': use one of {', '.join(ENGINES)}")
    installed = engine != "scipy" and find_spec("numba") is not None
    if engine == "numba" and not installed:
        raise ScoringError("engine 'numba' is not installed: install numba, or use engine 'scipy'")
    return "numba" if installed else "scipy"

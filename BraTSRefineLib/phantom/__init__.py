"""A simulated multi-centre cohort on real anatomy, with planted failures, for the demo and the tests."""

from .cohort import write_cohort
from .grid import PhantomError

__all__ = ["PhantomError", "write_cohort"]

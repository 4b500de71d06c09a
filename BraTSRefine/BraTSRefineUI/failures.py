"""A fault of the data is said in the panel, a fault of the program is shown by Slicer with its trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import slicer


@contextmanager
def reported(what: str, tell: Callable[[str], None]) -> Iterator[None]:
    """Run a person's action with a waiting cursor; ``tell`` gets ``what`` and the reason if the backend refused it."""
    with slicer.util.tryWithErrorDisplay(what, waitCursor=True):
        try:
            yield
        except Exception as error:
            if not isRefusal(error):
                raise
            tell(f"{what} {error}")


def isRefusal(error: Exception) -> bool:
    """Whether we ourselves say, in words made for a person, what is wrong with a file or a question."""
    return type(error).__module__.startswith(("BraTSRefineLib", "BraTSRefineUI"))

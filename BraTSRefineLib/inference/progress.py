"""How far a prediction is, in forward passes."""

from __future__ import annotations

from collections.abc import Callable

OnPass = Callable[[int, int, str], None]


class Passes:
    """Counts tiles; tells ``on_pass(done, total, words)`` after every forward pass.

    ``total`` is what is known so far: a cascade's later stage is added once the earlier one is done, and a fast mode
    takes away what it need not look at.
    """

    def __init__(self, on_pass: OnPass | None = None) -> None:
        self._on_pass = on_pass
        self.done = 0
        self.total = 0
        self.words = ""

    def expect(self, tiles: int) -> None:
        """So many further forward passes (negative: fewer)."""
        self.total += tiles

    def passed(self, tiles: int) -> None:
        self.done += tiles
        if self._on_pass is not None:
            self._on_pass(self.done, self.total, self.words)

    def remain(self, tiles: int) -> None:
        """No more than so many are left."""
        self.total = self.done + tiles

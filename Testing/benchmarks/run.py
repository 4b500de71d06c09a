"""``python Testing/benchmarks/run.py NAME``: ours and a named peer in one run; exit 0 where every bar holds.

A benchmark is a module beside this file with ``measure() -> Iterable[Figure]``; each is printed when it is there.
"""

from __future__ import annotations

import importlib
import operator
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COMPARISONS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Figure:
    """One measured figure and the bar that it is held to, for example ``Figure("ratio", 27.1, ">=", 10, "x")``."""

    name: str
    value: float
    comparison: str = ""
    bar: float = float("nan")
    unit: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        return not self.comparison or COMPARISONS[self.comparison](self.value, self.bar)

    def __str__(self) -> str:
        bar = f"bar {self.comparison} {self.bar:g} {self.unit}: {'holds' if self.holds else 'MISSED'}"
        parts = [f"{self.name}: {self.value:.4g} {self.unit}".rstrip(), bar if self.comparison else "", self.detail]
        return "  |  ".join(part for part in parts if part)


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    sys.modules.setdefault("run", sys.modules[__name__])
    if len(arguments) != 1 or arguments[0] not in names():
        print(f"usage: python Testing/benchmarks/run.py NAME, where NAME is one of: {', '.join(names())}")
        return 2
    sys.path.insert(0, str(FOLDER))
    hold = True
    for figure in importlib.import_module(arguments[0]).measure():
        print(figure, flush=True)
        hold = hold and figure.holds
    return 0 if hold else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Opening a cohort in the window: its longest stops, until the first picture, and until a cancelled look has ended.

The cohort is repeated under other names, by links and a manifest, until there are ``CASES`` of it, scored as it is. A
process of its own for each repetition: the first opening imports what the others find imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure

CASES, REPETITIONS = 200, 3
BLOCK_S, CANCELLED_S = 0.5, 2.0
OPENINGS = ("scored, first in its window", "never looked at", "scored")
WORDS = "until the first picture {seconds:.2f} s, at the slowest of " + str(REPETITIONS)


def measure() -> list[Figure]:
    import review

    with tempfile.TemporaryDirectory() as folder:
        return figures(*review.place(folder))


def figures(cohort: Path, workspace: Path) -> list[Figure]:
    """The slowest of the repetitions."""
    from run import Figure

    with tempfile.TemporaryDirectory() as folder:
        _run("prepare", cohort, workspace, folder)
        told = [json.loads(_run("open", folder, number)) for number in range(REPETITIONS)]
    found = []
    for name in OPENINGS:
        seconds, stop = (max(each[name][part] for each in told) for part in (0, 1))
        detail = WORDS.format(seconds=seconds)
        found.append(
            Figure(f"longest stop of the window: opening {CASES} cases, {name}", stop, "<=", BLOCK_S, "s", detail)
        )
    cancelled = max(each["cancelled"] for each in told)
    return [*found, Figure("until a cancelled opening has ended", cancelled, "<=", CANCELLED_S, "s")]


def _run(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()[-1] if done.stdout else ""


def prepare(cohort: Path, workspace: Path, folder: Path) -> None:
    """``many.csv`` beside a link to the cohort, and ``workspace``, which knows and has scored all of it."""
    import pandas as pd

    from BraTSRefineLib.cohort import Workspace, discover, save_cohort
    from BraTSRefineLib.scoring import read_scores, write_scores

    found = discover(cohort)
    (folder / "data").symlink_to(found.root)
    table, scores = found.table(), read_scores(Workspace(workspace))
    files = [name for name in table if any(str(value).startswith(f"{found.root}/") for value in table[name])]
    for name in files:
        table[name] = [str(value).replace(f"{found.root}/", "data/", 1) for value in table[name]]
    turns = range(-(-CASES // len(table)))
    many = pd.concat([table.assign(case=[f"{case}-{turn:03d}" for case in table["case"]]) for turn in turns])
    many.head(CASES).drop(columns="person").to_csv(folder / "many.csv", index=False)
    opened = Workspace.open(folder / "workspace")
    save_cohort(discover(folder / "many.csv"), opened)
    write_scores(pd.concat([scores.assign(case=scores["case"] + f"-{turn:03d}") for turn in turns]), opened)


def openings(folder: Path, number: int) -> dict[str, tuple[float, float] | float]:
    """Seconds until the first picture and the longest stop of each opening, and of a cancelled one until its end."""
    from review import SIZES, Review

    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=SIZES[1])
    assert "pandas" not in sys.modules
    try:
        review, begin = Review(host), host.widget.beginOpening
        places = (
            (folder, folder / "workspace"),
            (folder / "many.csv", folder / f"new-{number}"),
            (folder, folder / "workspace"),
        )
        told: dict = {}
        for name, place in zip(OPENINGS, places, strict=True):
            told[name] = review.longest(lambda place=place: begin(*place))
            assert len(review.bench.session.caseNames) == CASES and review.bench.session.case
            review.rest()
        told["cancelled"] = _cancelled(review, lambda: begin(folder / "many.csv", folder / f"given-up-{number}"))
        assert not host.failures, host.failures
    finally:
        host.close()
    return told


def _cancelled(review, begin) -> float:
    """From the click to the end, as soon as the first case was told."""
    begin()
    while "/" not in review.bench.ui.jobLabel.text():
        assert review.bench.isBusy
        review.host.app.processEvents()
    started = time.perf_counter()
    review.bench.cancelJob()
    while review.bench.isBusy:
        review.host.app.processEvents()
    return time.perf_counter() - started


if __name__ == "__main__":
    what, *places = sys.argv[1:]
    if what == "prepare":
        prepare(*map(Path, places))
    else:
        print(json.dumps(openings(Path(places[0]), int(places[1]))))

"""The review driven as a clinician does it: opened by a reader, a case with flags shown, what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def open_as(host, cohort, folder, reader: str, store: str = "") -> None:
    """The cohort opened by a reader with the Review tab in front."""
    import slicer

    slicer.app.applicationLogic().GetUserInformation().SetName(reader)
    host.widget.openWorkspace(cohort, folder, *([store] if store else []))
    host.widget.showPanel("Review")
    host.settle()


@pytest.fixture
def host(window, phantom_cohort, folder) -> Iterator:
    """The window with the cohort, the Review tab in front, read by Ann; nothing may fail in a slot."""
    open_as(window, phantom_cohort, folder, "Ann")
    yield window
    window.widget.workbench.review.reviewing.close()
    assert not window.failures


@pytest.fixture
def panel(bench):
    return bench.panelNamed("Review")


def show_flagged_case(host, bench, flags: int = 3) -> None:
    queue = bench.review.reviewing.queue
    case = next(row.case for row in queue.rows if row.flags >= flags and row.case not in queue.failed)
    bench.showCase(case)
    host.settle()


def records(bench) -> list[tuple[str, str]]:
    events = bench.review.reviewing.followed.store.events()
    return [(event.kind, event.decision) for event in events if event.kind != "opened"]

"""The review driven as a clinician does it: opened by a reader, a case with flags shown, what the tables say."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt


def open_as(host, cohort, folder, reader: str, store: str = "") -> None:
    """The cohort opened by a reader with the Review tab in front."""
    import slicer

    slicer.app.applicationLogic().GetUserInformation().SetName(reader)
    host.widget.openWorkspace(cohort, folder, *([store] if store else []))
    host.widget.showPanel("Review")
    host.settle()


def read_by_ann(window, cohort, folder) -> Iterator:
    """The window with the cohort, the Review tab in front, read by Ann; nothing may fail in a slot."""
    open_as(window, cohort, folder, "Ann")
    yield window
    window.widget.workbench.review.reviewing.close()
    assert not window.failures


def show_flagged_case(host, bench, flags: int = 3) -> None:
    queue = bench.review.reviewing.queue
    case = next(row.case for row in queue.rows if row.flags >= flags and row.case not in queue.failed)
    bench.showCase(case)
    host.settle()


def records(bench) -> list[tuple[str, str]]:
    events = bench.review.reviewing.followed.store.events()
    return [(event.kind, event.decision) for event in events if event.kind != "opened"]


def cells(view, column: int, role=Qt.DisplayRole) -> list:
    """What a column of a table says, from the first row to the last."""
    model = view.model()
    return [model.data(model.index(row, column), role) for row in range(model.rowCount())]

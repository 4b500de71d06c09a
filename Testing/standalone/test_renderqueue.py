"""Which view is drawn when, and how; with views that only note that they were drawn."""

from __future__ import annotations

import pytest

from BraTSRefine.Standalone.application import application
from BraTSRefine.Standalone.renderqueue import RenderQueue


class View:
    def __init__(self, name: str, drawn: list, hasFine: bool = True):
        self.name, self.drawn, self.hasFine, self.canRender = name, drawn, hasFine, True

    def renderNow(self, isFine: bool) -> None:
        self.drawn.append((self.name, isFine))


@pytest.fixture
def queue():
    application(offscreen=True)
    return RenderQueue()


@pytest.fixture
def views():
    drawn: list = []
    return [View(name, drawn) for name in "abcd"], drawn


def turn(queue, until) -> None:
    """The event loop until a condition holds."""
    from PySide6.QtCore import QDeadlineTimer, QEventLoop

    loop, deadline = QEventLoop(), QDeadlineTimer(20_000)
    while not until() and not deadline.hasExpired():
        loop.processEvents(QEventLoop.WaitForMoreEvents, 50)
    assert until()


def test_many_requests_of_a_view_make_one_picture(queue, views):
    (first, *_), drawn = views
    for _ in range(5):
        queue.add(first)
    turn(queue, lambda: not queue.isWaiting(first))
    assert drawn == [("a", False)]


def test_the_view_that_is_worked_in_comes_first_and_the_others_in_between(queue, views):
    several, drawn = views
    worked = several[2]
    draw = worked.renderNow
    worked.renderNow = lambda isFine: (draw(isFine), len(drawn) < 6 and queue.add(worked))  # the wheel turns on
    for view in several:
        queue.add(view)
    queue.bringToFront(worked)
    turn(queue, lambda: len(drawn) >= 7)
    assert [name for name, _ in drawn[:7]] == ["c", "c", "a", "c", "c", "b", "c"]


def test_at_rest_every_view_is_drawn_once_more_with_smooth_edges(queue, views):
    (first, second, *_), drawn = views
    second.hasFine = False
    queue.add(first)
    queue.add(second)
    turn(queue, lambda: ("a", True) in drawn)
    assert drawn == [("a", False), ("b", False), ("a", True)]


def test_a_picture_of_the_window_does_not_wait_for_the_rest(queue, views):
    (first, *_), drawn = views
    queue.add(first)
    turn(queue, lambda: drawn)
    queue.refineAll()
    assert drawn == [("a", False), ("a", True)]


def test_a_view_that_is_gone_or_hidden_is_not_drawn(queue, views):
    (first, second, third, *_), drawn = views
    for view in (first, second, third):
        queue.add(view)
    queue.forget(first)
    second.canRender = False
    turn(queue, lambda: drawn)
    assert drawn == [("c", False)]
    assert not queue.isWaiting(second)

"""The longest stop of the window in each action of a person, several times each; keys where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from review import Review

TURNS = 3
STROKE = (40, 50), (70, 60)


def of_actions(review: Review) -> dict[str, float]:
    """Of what is done with a case that is shown, the review and the plot among it."""
    from BraTSRefineUI import views
    from PySide6.QtCore import Qt

    bench, key = review.bench, review.key
    models, metrics = review.models(), bench.session.metrics()
    slider, maps = bench.uncertaintyPanel.ui.thresholdSlider, bench.session.maps()
    bench.review.setReader("Ann")
    longest: dict[str, float] = {}
    for turn in range(TURNS):
        does = {
            "region": lambda turn=turn: bench.setRegion(("TC", "ET", "WT")[turn]),
            "model": lambda turn=turn: bench.setModel(models[(turn + 2) % len(models)]),
            "member": lambda: bench.views.stepMember(1),
            "layout": lambda turn=turn: bench.views.setLayout(list(views.LAYOUTS)[(turn + 1) % len(views.LAYOUTS)]),
            "threshold": lambda turn=turn: slider.setValue(slider.minimum() + (turn + 1) * 20),
            "map": lambda turn=turn: bench.setMap(maps[turn % len(maps)]),
            "tab": lambda turn=turn: bench.showPanel(bench.panelNames()[1:][turn]),
            "flag": lambda: key(Qt.Key_F),
            "flag decided": lambda turn=turn: key((Qt.Key_1, Qt.Key_2, Qt.Key_3)[turn]),
            "decision taken back": lambda: key(Qt.Key_Backspace),
            "worst slice": lambda: key(Qt.Key_G),
            "prediction and reference flipped": lambda: key(Qt.Key_X),
            "surfaces by distance": lambda: key(Qt.Key_I),
            "overlays off": lambda turn=turn: bench.views.hideOverlays(turn % 2 == 0),
            "ranked by another metric": lambda turn=turn: bench.setMetric(metrics[(turn + 1) % len(metrics)]),
            "plot": bench.plots.toggle,
        }
        _measure(review, does, longest)
    assert sum(1 for event in _events(review) if event.kind == "undo") == TURNS
    bench.views.hideOverlays(False)
    bench.views.setLayout(views.REVIEW_LAYOUT)
    bench.setModel(models[1])
    bench.setRegion("WT")
    return longest


def of_correcting(review: Review) -> dict[str, float]:
    """Of a correction: begun, painted, saved, and the next case after it."""
    from PySide6.QtCore import Qt

    longest: dict[str, float] = {}
    for _turn in range(TURNS):
        does = {
            "correction begun": lambda: review.key(Qt.Key_C),
            "correction painted": lambda: _stroke(review),
            "correction saved": lambda: review.key(Qt.Key_S),
            "case after a correction": review.nextCase,
        }
        _measure(review, does, longest)
    assert sum(1 for event in _events(review) if event.kind == "correction") == TURNS
    return longest


def _events(review: Review) -> list:
    return review.bench.review.reviewing.followed.events()


def _measure(review: Review, does: dict[str, Callable[[], object]], longest: dict[str, float]) -> None:
    for name, do in does.items():
        review.rest()
        longest[name] = max(longest.get(name, 0.0), review.longest(do)[1])


def _stroke(review: Review) -> None:
    """With the mouse, in pixels from the middle of the first slice view."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    layouts = review.host.layoutManager
    pane = layouts.sliceWidget(layouts.sliceViewNames()[0]).sliceView()
    first, last = (QPoint(pane.width() // 2 + x, pane.height() // 2 + y) for x, y in STROKE)
    QTest.mouseMove(pane, first)
    QTest.mousePress(pane, Qt.LeftButton, Qt.NoModifier, first)
    QTest.mouseMove(pane, last)
    QTest.mouseRelease(pane, Qt.LeftButton, Qt.NoModifier, last)

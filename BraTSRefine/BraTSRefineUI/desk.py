"""What reaches over several panels: a desk hears what happens in the workbench and adds keys of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """What a key does; ``words`` stand in the help sheet. ``key`` is written as QKeySequence reads it."""

    key: str
    words: str
    do: Callable[[], None]


class Desk:
    """A part of the work beside the panels: the views, the review, the plots.

    The workbench tells every desk what happened; a desk asks the workbench's session and acts on its scene.
    """

    def __init__(self, workbench) -> None:
        self.workbench = workbench

    @property
    def session(self):
        return self.workbench.session

    def title(self) -> str:
        """What the keys of this desk are about; a heading of the help sheet."""
        return ""

    def actions(self) -> list[Action]:
        """The keys of this desk, in the order of the help sheet."""
        return []

    def opened(self) -> None:
        """Another cohort was opened; no case of it is shown yet."""

    def leaving(self) -> None:
        """The case, or its model, is about to be left: save or keep what is not saved."""

    def refresh(self) -> None:
        """The session may have changed in any way: another model, region, metric, what a job wrote."""

    def showCase(self) -> None:
        """Another case is shown, in the scene and in the views."""

    def showSelected(self) -> None:
        """Another flag is looked at."""

    def enter(self) -> None:
        """The module came to the front."""

    def exit(self) -> None:
        """The module goes to the back: give back what belongs to the window."""

    def sceneClosed(self) -> None:
        """Somebody closed the scene: all nodes are gone."""

    def cleanup(self) -> None:
        """The module ends or is loaded again: leave nothing behind."""

"""The corrections of the cases: which version is shown, what is edited, what is saved. No Qt, no MRML."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.case import Case
    from BraTSRefineLib.review import Draft, Event, Start, Tissue, Version

    from .tables import FlagRow

NEWEST = 0


class Versions:
    """Which label map stands for a case and model: the newest correction, an older one, or the prediction.

    ``events`` gives the store's events of a case, by which a correction that was taken back is left out; ``isSeen``
    says whether a version may be seen (independent readers are blind to each other).
    """

    def __init__(self) -> None:
        self.events: Callable[[str], Iterable[Event]] = lambda case: ()
        self.isSeen: Callable[[Version], bool] = lambda version: True
        self._root: Path | None = None
        self._known: dict[tuple[str, str], tuple[tuple[int, int], list[Version]]] = {}
        self._steps: dict[tuple[str, str], int] = {}

    def open(self, root: Path) -> None:
        """Another workspace."""
        self._root, self._known, self._steps = root, {}, {}

    def lookAgain(self, case: str) -> None:
        """Something was saved or taken back; the newest is shown again."""
        for known in (self._known, self._steps):
            for key in [key for key in known if key[0] == case]:
                known.pop(key)

    def of(self, case: str, model: str) -> list[Version]:
        """The versions of a case that are there, newest first; also those that others saved meanwhile."""
        from BraTSRefineLib.review import versions

        if self._root is None or not case:
            return []
        events = list(self.events(case))
        stamp = self._stamp(case), len(events)
        if self._known.get((case, model), (None, []))[0] != stamp:
            found = versions(self._root, case, model, events)
            self._known[case, model] = stamp, [version for version in found if version.path.is_file()]
        return [version for version in self._known[case, model][1] if self.isSeen(version)]

    def _stamp(self, case: str) -> int:
        """When anything was last put into the folder of the case's corrections or taken away."""
        from BraTSRefineLib.review.corrections import folder_of

        try:
            return folder_of(self._root, case).stat().st_mtime_ns
        except OSError:
            return -1

    def shown(self, case: str, model: str) -> Version | None:
        """The one that stands for the case now; None where that is the prediction."""
        found, place = self.of(case, model), self._steps.get((case, model), NEWEST)
        return found[place] if place < len(found) else None

    def step(self, case: str, model: str, older: int) -> bool:
        """Show an older (1) or newer (-1) version, at the old end the prediction; whether anything changed."""
        place = self._steps.get((case, model), NEWEST)
        wanted = min(max(place + older, NEWEST), len(self.of(case, model)))
        self._steps[case, model] = wanted
        return wanted != place

    def words(self, case: str, model: str) -> str:
        """Who corrected the shown one and when; empty for the prediction."""
        version = self.shown(case, model)
        if version is None:
            return ""
        when = version.event.when.astimezone()
        return f"corrected by {version.event.who}, {when:%H:%M}" + ("" if _isToday(when) else f" on {when:%Y-%m-%d}")

    def place(self, case: str, model: str) -> tuple[int, int]:
        """Which it is (1 the newest; 0 for the prediction) and how many there are."""
        count, place = len(self.of(case, model)), self._steps.get((case, model), NEWEST)
        return (place + 1 if place < count else 0), count


def _isToday(when) -> bool:
    from datetime import datetime

    return when.date() == datetime.now().astimezone().date()


class Edit:
    """One correction that is going on: what it began from, what may be painted, where, and what is kept of it.

    ``inside`` is the mask ``(z, y, x)`` of the flag's neighbourhood while the edit is kept to it, else None.
    """

    def __init__(self, root: Path, start: Start, case: Case, who: str, draft: Draft | None = None) -> None:
        from BraTSRefineLib.review import DraftKeeper, tissues_of

        self.root, self.start, self.case, self.who = root, start, case, who
        self.labels = draft.labels() if draft else start.labels
        convention = case.convention_of(start.model)
        self.tissues: list[Tissue] = tissues_of(convention, np.stack([start.labels, self.labels]))
        self.flag = draft.flag if draft else ""
        self.inside: np.ndarray | None = None
        self.keeper = DraftKeeper(root, start, who, self.flag, draft.folder if draft else None)
        self._kept = self.labels if draft else start.labels
        self._though = False

    def keepTo(self, flag: FlagRow | None) -> None:
        """Keep the edit to the neighbourhood of a flag; to nothing for None."""
        from BraTSRefineLib.review import neighbourhood

        self.flag = self.keeper.flag = flag.id if flag else ""
        geometry = self.start.template.geometry
        self.inside = neighbourhood(geometry, flag.center, flag.milliliters, flag.box) if flag else None

    def joined(self, masks: dict[int, np.ndarray]) -> np.ndarray:
        """The label map of the painted masks by label."""
        from BraTSRefineLib.review import joined

        return joined(self.start.labels, masks)

    def isChanged(self, labels: np.ndarray) -> bool:
        """Whether there is anything to save."""
        return not np.array_equal(labels, self.start.labels)

    def keep(self, labels: np.ndarray) -> bool:
        """Keep the edit as a draft where it changed since the last time; whether it was written.

        Raises WorkspaceError, VolumeError where it could not be.
        """
        if np.array_equal(labels, self._kept):
            if self.keeper.is_kept:
                self.keeper.say_alive()
            return False
        self.keeper.keep(labels)
        self._kept = labels
        return True

    def save(self, labels: np.ndarray) -> Version:
        """Keep the label map as a new version. A source that changed is told once; then it is saved all the same.

        Raises ReviewError, WorkspaceError, VolumeError where nothing was saved.
        """
        from BraTSRefineLib.review import SourceChanged, save_correction

        try:
            return save_correction(
                self.root, self.start, labels, self.who,
                flag=self.flag, inside=self.inside, though_changed=self._though,
            )  # fmt: skip
        except SourceChanged:
            self._though = True
            raise

    def rescue(self, folder: str, labels: np.ndarray) -> Path:
        """Write the edit where the workspace cannot be written, into another folder.

        Raises WorkspaceError, VolumeError.
        """
        from BraTSRefineLib.review.corrections import name_part

        path = Path(folder) / f"{name_part(self.start.case)}-{self.keeper.folder.name}.nii.gz"
        self.start.template.write(path, labels)
        return path

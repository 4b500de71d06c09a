"""Against crashes and haste: what is painted is kept in the workspace, and offered the next time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np
import qt
import slicer
from slicer.i18n import tr as _

from .correcting import Edit
from .failures import reported

KEEP_EVERY_MS = 3000


class DraftKeeping:
    """Keeps one edit from ``begin`` to ``end``; ``labels`` gives what is painted, ``onKept`` is told after each look.

    ``tell`` hears what could not be kept, ``say`` what was.
    """

    def __init__(
        self,
        labels: Callable[[], np.ndarray],
        onKept: Callable[[np.ndarray], None],
        tell: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._labels, self._onKept, self._tell, self._say = labels, onKept, tell, say
        self._edit: Edit | None = None
        self._isDirty, self._trouble = False, ""
        self.keptAt = ""
        self.timer = qt.QTimer()
        self.timer.interval = KEEP_EVERY_MS
        self.timer.timeout.connect(lambda: self.keep())

    def begin(self, edit: Edit) -> None:
        """Look again and again whether anything was painted."""
        self._edit, self._isDirty, self._trouble, self.keptAt = edit, False, "", ""
        self.timer.start()

    def end(self) -> None:
        self.timer.stop()
        self._edit = None

    def noteChange(self) -> None:
        """Something was painted; it is kept at the next look."""
        self._isDirty = True

    def keep(self) -> None:
        """Keep what is painted; what cannot be kept is told once, and tried again."""
        if self._edit is None:
            return
        if not self._isDirty:
            self._sayAlive()
            return
        self._isDirty = False
        labels = self._labels()
        if self._tryToKeep(labels):
            self.keptAt = f"{datetime.now():%H:%M:%S}"
        self._onKept(labels)

    def keepForNextTime(self, labels: np.ndarray) -> None:
        """Let the edit lie for whoever comes next; where the workspace cannot be written, in the temporary folder."""
        edit = self._edit
        if self._tryToKeep(labels):
            edit.keeper.let_go()
            self._say(_("the edit of {case} is kept and offered next time").format(case=edit.case.case))
            return
        with reported(_("The edit could not be kept:"), self._tell):
            path = edit.rescue(slicer.app.temporaryPath, labels)
            self._tell(_("The workspace cannot be written; the edit is in {path}").format(path=path))

    def drop(self) -> None:
        """The edit is not wanted."""
        with reported(_("The draft was not taken away:"), self._tell):
            self._edit.keeper.discard()

    def _tryToKeep(self, labels: np.ndarray) -> bool:
        from BraTSRefineLib.cohort import WorkspaceError
        from BraTSRefineLib.cohort.volumes import VolumeError

        try:
            self._edit.keep(labels)
        except (WorkspaceError, VolumeError) as error:
            self._isDirty = True
            if not self._trouble:
                self._trouble = str(error)
                self._tell(_("The edit is not kept against a crash: {why}").format(why=error))
            return False
        self._trouble = ""
        return True

    def _sayAlive(self) -> None:
        from BraTSRefineLib.cohort import WorkspaceError

        if self._edit.keeper.is_kept:
            try:
                self._edit.keeper.say_alive()
            except WorkspaceError:
                self._isDirty = True  # the draft is written anew, and that tells what is wrong

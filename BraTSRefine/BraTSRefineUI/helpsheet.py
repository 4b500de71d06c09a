"""The sheet of keys: everything that has one, in its words, over the panel and never over the images."""

from __future__ import annotations

from html import escape

import qt
import slicer
from slicer.i18n import tr as _

from .desk import Action, Desk


class HelpSheet(Desk):
    """A page of the module's own stack, so that nothing has to be closed before one goes on.

    Any other page that comes to the front takes its place.
    """

    def __init__(self, workbench) -> None:
        super().__init__(workbench)
        self.widget = slicer.util.loadUI(workbench.resourcePath("UI/Help.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.pages = workbench.ui.pages
        self.page = self.pages.addWidget(self.widget)
        self._under = 0
        self._escape = None
        self.ui.closeHelpButton.clicked.connect(lambda checked=False: self.close())
        workbench.ui.helpButton.clicked.connect(lambda checked=False: self.toggle())
        self.pages.currentChanged.connect(lambda index=0: self._onPage())

    def title(self) -> str:
        return _("Help")

    def actions(self) -> list[Action]:
        return [Action("?", _("Show or hide this sheet"), self.toggle)]

    @property
    def isOpen(self) -> bool:
        return self.pages.currentIndex == self.page

    def toggle(self) -> None:
        if self.isOpen:
            self.close()
        else:
            self.open()

    def open(self) -> None:
        """Bring the sheet to the front; Esc closes it."""
        self.ui.keysLabel.text = self.text()
        self._under = self.pages.currentIndex
        self.pages.currentIndex = self.page
        self._takeEscape(slicer.util.mainWindow())

    def close(self) -> None:
        """Back to what was in front before."""
        if self.isOpen:
            self.pages.currentIndex = self._under

    def exit(self) -> None:
        self.close()

    cleanup = exit

    def groups(self) -> list[tuple[str, list[Action]]]:
        """The actions by what they are about: the workbench's own, then each desk's."""
        named: dict[str, list[Action]] = {}
        for desk in self.workbench.desks:
            named.setdefault(desk.title() or _("More"), []).extend(desk.actions())
        known = {action.key for actions in named.values() for action in actions}
        own = [action for action in self.workbench.actions() if action.key not in known]
        return [(title, actions) for title, actions in ((_("Cases"), own), *named.items()) if actions]

    def text(self) -> str:
        """The sheet as rich text, in the window's own colours."""
        rows = [row for title, actions in self.groups() for row in _group(title, actions)]
        held = _row("H", _("While it is held: all overlays off"))
        return f"<table width='100%' cellpadding='2'>{''.join(rows)}{held}</table>{_paragraphs()}"

    def _takeEscape(self, window) -> None:
        """A key of its own while the sheet is open alone: elsewhere Esc belongs to the views and the editor."""
        if window is None or self._escape is not None:
            return
        self._escape = qt.QShortcut(qt.QKeySequence("Esc"), window)
        self._escape.activated.connect(lambda: self.close())
        self._escape.activatedAmbiguously.connect(lambda: self.close())

    def _onPage(self) -> None:
        if self._escape is not None and not self.isOpen:
            self._escape.setParent(None)
            self._escape.deleteLater()
            self._escape = None


def _group(title: str, actions: list[Action]) -> list[str]:
    heading = f"<tr><td colspan='2'><br><b>{escape(title)}</b></td></tr>"
    return [heading, *(_row(action.key, action.words) for action in actions)]


def _row(key: str, words: str) -> str:
    return f"<tr><td width='92'><b>{escape(key)}</b></td><td>{escape(words)}</td></tr>"


def _paragraphs() -> str:
    notes = [
        _("The keys work while this module is in front and no text is being typed."),
        _(
            "While a correction is open, the Segment Editor has keys of its own: digits choose an effect, "
            "Ctrl+Z and Ctrl+Y undo and redo, Esc puts the effect away."
        ),
        _("For research use only, not for clinical decisions."),
    ]
    return "".join(f"<p>{escape(note)}</p>" for note in notes)

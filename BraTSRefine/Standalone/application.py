"""``slicer.app``: the application object, one a process, and the services that one host after the other gives it."""

import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from .memory import keepConstants

NAME = "BraTSRefine"


@dataclass
class Services:
    """What belongs to one host: made at its start, dropped when it closes."""

    scene: object
    applicationLogic: object
    layoutManager: object
    moduleManager: object
    settings: QSettings
    isTesting: bool
    failures: list = field(default_factory=list)


class Application(QApplication):
    """The part of qSlicerApplication that a scripted module needs."""

    applicationName = NAME
    majorVersion, minorVersion = 5, 11
    revision = "standalone"
    _services: Services | None = None

    def layoutManager(self):
        return self._services.layoutManager if self._services else None

    def applicationLogic(self):
        return self._services.applicationLogic

    def mrmlScene(self):
        return self._services.scene

    def moduleManager(self):
        return self._services.moduleManager

    def moduleLogic(self, name: str):
        return self._services.applicationLogic.GetModuleLogic(name)

    def userSettings(self) -> QSettings:
        return self._services.settings

    settings = userSettings
    revisionUserSettings = userSettings

    def testingEnabled(self) -> bool:
        """True off-screen: nobody is there to press a message's button, so messages are logged."""
        return self._services is None or self._services.isTesting

    def pauseRender(self) -> None:
        self.layoutManager().pauseRender()

    def resumeRender(self) -> None:
        self.layoutManager().resumeRender()

    def setRenderPaused(self, paused: bool) -> None:
        self.layoutManager().setRenderPaused(paused)

    @property
    def temporaryPath(self) -> str:
        return tempfile.gettempdir()


def wantsOffscreen() -> bool:
    """True where no display is announced, so that Qt could not open a window."""
    return sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def application(offscreen: bool) -> Application:
    """The process' application object; made at the first call, on the off-screen platform if asked for.

    :raises RuntimeError: if another part of the program has made a plain QApplication before.
    """
    existing = QCoreApplication.instance()
    if existing is not None:
        return _checked(existing)
    if offscreen:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    keepConstants()
    qInstallMessageHandler(_printMessage)
    made = Application([NAME])
    QCoreApplication.setOrganizationName(NAME)
    QCoreApplication.setApplicationName(NAME)
    made.setQuitOnLastWindowClosed(True)
    return made


def _printMessage(kind, context, message: str) -> None:
    """Qt's messages go to stderr, but for one that the off-screen platform gives for every window."""
    if "propagateSizeHints" not in message:
        print(message, file=sys.stderr)


def _checked(existing) -> Application:
    if not isinstance(existing, Application):
        raise RuntimeError("A QApplication exists already; start the host before anything else makes one.")
    return existing


def settingsIn(folder: str | Path | None) -> QSettings:
    """The user's settings, or those of a given folder (tests and screenshots leave the user's alone)."""
    if folder is None:
        return QSettings()
    QSettings.setDefaultFormat(QSettings.IniFormat)
    QSettings.setPath(QSettings.IniFormat, QSettings.UserScope, str(folder))
    return QSettings(QSettings.IniFormat, QSettings.UserScope, NAME, NAME)

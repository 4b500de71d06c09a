"""Starts the module in its window, and closes it again: ``start() -> Host``."""

import gc
import importlib
import sys
import tempfile
import time
import traceback
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QSettings, QSize, QTimer
from PySide6.QtGui import QPixmap

from . import names
from .application import Application, Services, application, settingsIn, wantsOffscreen
from .memory import giveBackWhatIsFreed

SETTLE_LIMIT_S = 20.0


class HostError(RuntimeError):
    """The host could not start or show the module; the message says what to do."""


class Host:
    """A running module: its widget object, its window, its pictures.

    >>> host = start("BraTSRefine", offscreen=True)
    >>> host.screenshot("window.png")
    >>> host.close()
    """

    def __init__(self, app: Application, slicerApp, window, services: Services):
        self.app, self.window, self.services = app, window, services
        self.widget = None
        self._slicerApp = slicerApp
        self._panel = None
        self._temporary = None
        self._formerHook = sys.excepthook
        sys.excepthook = self._noteFailure

    @property
    def failures(self) -> list[str]:
        """One line for each exception that a slot or an event handler let through."""
        return self.services.failures

    @property
    def layoutManager(self):
        return self.services.layoutManager

    def settle(self, milliseconds: int = 0) -> None:
        """Let events through for that time, then until every scheduled render is done and what was asked for is there.

        The module's widget says by ``isReading()``, if it has that, whether it will show something by itself.
        """
        started = time.monotonic()
        while True:
            self._processEvents()
            elapsed = time.monotonic() - started
            if elapsed > SETTLE_LIMIT_S or (elapsed * 1000 >= milliseconds and not self._isBusy()):
                return
            _wait(5)

    def grab(self) -> QPixmap:
        """A picture of the window, each view as it looks at rest."""
        self.layoutManager.renders.refineAll()
        return self.window.grab()

    def screenshot(self, path: str | Path) -> Path:
        """Write a picture of the window as PNG and return its absolute path."""
        path = Path(path).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.grab().save(str(path), "PNG"):
            raise HostError(f"Could not write the screenshot {path}; is the folder writable?")
        return path

    def run(self) -> int:
        """Show the window until it is closed."""
        return self.app.exec()

    def close(self) -> None:
        """Leave in an order that VTK and Qt survive: module, views, window, scene."""
        if self.window is None:
            return
        try:
            self._closeModule()
        finally:
            self._closeWindow()
            self._dropScene()
            sys.excepthook = self._formerHook
            gc.unfreeze()
            gc.collect()

    def _closeWindow(self) -> None:
        self.services.layoutManager.close()
        self.window.close()
        self.window.deleteLater()
        self.window = self._panel = self.widget = None
        self._processEvents()

    def _closeModule(self) -> None:
        if self.widget is not None:
            if hasattr(self.widget, "exit"):
                self.widget.exit()
            self.widget.cleanup()

    def _dropScene(self) -> None:
        import slicer

        self.services.scene.Clear(1)
        self.app._services = None
        for name in ("mrmlScene", "modules", "app"):
            setattr(slicer, name, None)
        self._slicerApp = None
        if self._temporary is not None:
            self.services.settings.sync()
            self._temporary.cleanup()

    def _isBusy(self) -> bool:
        isReading = hasattr(self.widget, "isReading") and self.widget.isReading()
        return isReading or any(pane.isRenderPending for pane in self.layoutManager.panes())

    def _processEvents(self) -> None:
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
        QCoreApplication.processEvents()

    def _noteFailure(self, kind, error, trace) -> None:
        where = traceback.extract_tb(trace)
        place = f" ({Path(where[-1].filename).name}:{where[-1].lineno})" if where else ""
        self.services.failures.append(f"{kind.__name__}: {error}{place}")
        self._formerHook(kind, error, trace)


def start(
    moduleName: str = "BraTSRefine",
    *,
    offscreen: bool | None = None,
    size: tuple[int, int] = (1600, 900),
    light: bool = False,
    folder: str | Path | None = None,
    settingsFolder: str | Path | None = None,
) -> Host:
    """Load the scripted module of that name, build its panel and show it beside the views.

    :param offscreen: None means: where no display is announced.
    :param folder: where ``<moduleName>.py`` lies, if not beside this package.
    :param settingsFolder: keeps the settings; off-screen a temporary one, else the user's own.
    :raises HostError: if the module cannot be loaded or built.
    """
    giveBackWhatIsFreed()
    offscreen = wantsOffscreen() if offscreen is None else offscreen
    app = application(offscreen)
    if app._services is not None:
        raise HostError("A host is running in this process already; close it first.")
    temporary = tempfile.TemporaryDirectory(prefix="bratsrefine-settings-") if offscreen else None
    settings = settingsIn(settingsFolder or (temporary and temporary.name))
    host = _emptyHost(app, QSize(*size), light, settings, isTesting=offscreen)
    host._temporary = temporary
    try:
        _showModule(host, moduleName, folder)
    except Exception as error:
        _closeBroken(host)
        raise HostError(f"The module {moduleName} could not be shown: {type(error).__name__}: {error}") from error
    return host


def _closeBroken(host: Host) -> None:
    host.widget = None
    host.close()


def _emptyHost(app: Application, size: QSize, light: bool, settings: QSettings, isTesting: bool) -> Host:
    names.install()
    import slicer
    from trame_slicer.core import SlicerApp

    from .layouts import LayoutManager
    from .stand_ins.scripted import ModuleManager
    from .userinformation import keepUserInformation
    from .window import Window, applyStyle

    applyStyle(app, light)
    slicerApp = SlicerApp()
    slicerApp.register_module_logic(slicer.vtkSlicerCamerasModuleLogic())
    window = Window(size)
    slicer.app, slicer.mrmlScene, slicer.modules = app, slicerApp.scene, _builtInModules(slicerApp)
    app._services = Services(
        scene=slicerApp.scene,
        applicationLogic=slicerApp.app_logic,
        layoutManager=LayoutManager(slicerApp.scene, slicerApp.app_logic, window.viewport),
        moduleManager=ModuleManager(slicer.modules),
        settings=settings,
        isTesting=isTesting,
    )
    keepUserInformation(slicerApp.app_logic, settings)
    return Host(app, slicerApp, window, app._services)


def _builtInModules(slicerApp):
    from .stand_ins.scripted import ModuleRecord, Modules

    modules = Modules()
    logics = {
        "Colors": slicerApp.color_logic,
        "Segmentations": slicerApp.segmentations_logic,
        "SubjectHierarchy": slicerApp.subject_hierarchy_logic,
        "Terminologies": slicerApp.terminologies_logic,
        "Volumes": slicerApp.volumes_logic,
    }
    for name, logic in logics.items():
        modules.register(name, ModuleRecord(name, logic))
    return modules


def _showModule(host: Host, moduleName: str, folder) -> None:
    from .stand_ins.scripted import ModulePanel, ModuleRecord

    module = _importModule(moduleName, folder)
    record = ModuleRecord(moduleName)
    getattr(module, moduleName)(record)
    host._panel = ModulePanel()
    host._panel.setMRMLScene(host.services.scene)
    host.window.setModulePanel(host._panel)
    host.widget = getattr(module, f"{moduleName}Widget")(host._panel)
    record._widget = host._panel
    host.widget.setup()
    host.window.setWindowTitle(record.title)
    host.window.show()
    host._panel._entered = True
    if hasattr(host.widget, "enter"):
        host.widget.enter()
    host.settle()
    gc.collect()
    gc.freeze()  # what was imported stays: looking through all of it again takes a fifth of a second each time


def _importModule(moduleName: str, folder):
    if folder is not None:
        names.serveModule(Path(folder), moduleName)
        return importlib.import_module(moduleName)
    if not (names.MODULE_FOLDER / f"{moduleName}.py").is_file():
        raise HostError(f"There is no module {moduleName}.py in {names.MODULE_FOLDER}")
    return importlib.import_module(f"BraTSRefine.{moduleName}")


def _wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()

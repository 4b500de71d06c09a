"""The functions of ``slicer.util`` that lean on PythonQt or on Slicer's input and output manager.

All others are Slicer's own, from the slicer-core wheel. These have the same signatures.
"""

import logging
from pathlib import Path

import slicer
from PySide6.QtCore import QFile, QObject
from PySide6.QtUiTools import QUiLoader
from PySide6.QtWidgets import QApplication, QMessageBox

__all__ = ["childWidgetVariables", "delayDisplay", "findChildren", "loadUI", "mainWindow", "messageBox"]

MAIN_WINDOW_NAME = "qSlicerMainWindow"


def mainWindow():
    """The host's window, or None while there is none."""
    named = [w for w in QApplication.topLevelWidgets() if w.objectName() == MAIN_WINDOW_NAME]
    return named[0] if named else None


def loadUI(path):
    """Load a .ui file and return its top widget.

    :raises RuntimeError: if the file is not there or names a widget that the host does not have.
    """
    if not Path(path).is_file():
        raise RuntimeError(f"Could not load UI file: file not found {path}")
    file = QFile(str(path))
    file.open(QFile.ReadOnly)
    loader = _loaderWithStandIns()
    widget = loader.load(file)
    file.close()
    if widget is None:
        raise RuntimeError(f"Could not load UI file: {path}: {loader.errorString()}")
    return widget


def _loaderWithStandIns() -> QUiLoader:
    from . import ctk, qmrml

    loader = QUiLoader()
    for module in (ctk, qmrml):
        for name in module.__all__:
            loader.registerCustomWidget(getattr(module, name))
    return loader


class _ChildWidgets:
    """The named children of a widget as attributes."""


def childWidgetVariables(widget):
    """Every named child (and the widget itself) as an attribute of the returned object, by its object name."""
    ui = _ChildWidgets()
    for child in [*widget.findChildren(QObject), widget]:
        name = child.objectName()
        if name and not name.startswith("qt_"):
            setattr(ui, name, child)
    return ui


def findChildren(widget=None, name="", text="", title="", className=""):
    """Children of a widget (the main window when none is given) that meet all criteria; shell patterns are allowed."""
    from fnmatch import fnmatchcase

    def matches(child):
        values = [(name, child.objectName()), (className, child.metaObject().className())]
        values += [(wanted, child.property(key)) for key, wanted in (("text", text), ("title", title))]
        return all(not wanted or (isinstance(value, str) and fnmatchcase(value, wanted)) for wanted, value in values)

    top = widget or mainWindow()
    return [child for child in top.findChildren(QObject) if matches(child)] if top else []


def messageBox(text, parent=None, **kwargs):
    """A modal message; in testing mode the text is logged and OK is returned."""
    if slicer.app.testingEnabled():
        logging.info(f"Testing mode: skipping message box [{text}]")
        return QMessageBox.Ok
    box = QMessageBox(parent or mainWindow())
    box.setText(text)
    for key, value in kwargs.items():
        box.setProperty(key, value)
    if "detailedText" in kwargs:
        box.setDetailedText(kwargs["detailedText"])
    box.deleteLater()
    return QMessageBox.StandardButton(box.exec())


def delayDisplay(message, autoCloseMsec=1000, parent=None, **kwargs):
    """A message for a short time; the host logs it and lets events through."""
    logging.info(message)
    slicer.app.processEvents()

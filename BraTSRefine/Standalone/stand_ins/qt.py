"""Slicer's flat ``qt`` namespace, from PySide6; a name is looked up in its Qt library when it is first used."""

from PySide6 import QtCore, QtGui, QtNetwork, QtUiTools, QtWidgets

_LIBRARIES = (QtCore, QtGui, QtWidgets, QtNetwork, QtUiTools)


def __getattr__(name: str):
    for library in _LIBRARIES:
        if not name.startswith("_") and hasattr(library, name):
            return globals().setdefault(name, getattr(library, name))
    raise AttributeError(f"module 'qt' has no attribute {name!r}")

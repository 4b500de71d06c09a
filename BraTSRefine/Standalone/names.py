"""The names that a Slicer module imports: put into ``sys.modules`` before the module is loaded.

PySide6 can show Qt properties as attributes, as PythonQt does, to one module and leave others alone: it looks up the
name of the module whose code runs. A module that it does not know inherits the choice of its caller, so every module
is made known here: the Slicer module's files with attributes, all others (also those loaded later) with methods.
"""

import importlib
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

MODULE_FOLDER = Path(__file__).resolve().parents[1]
ORDINARY, TRUE_PROPERTY = 0, 2
SLICER_STAND_INS = ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper")


class PropertyAttributes(MetaPathFinder):
    """Chooses, for each module that is about to be imported, how it sees Qt properties. Finds nothing itself."""

    def __init__(self):
        self.roots = {"BraTSRefineUI", "BraTSRefine.BraTSRefine", "BraTSRefine.BraTSRefineUI"}
        self.roots |= {"slicer.util", "BraTSRefine.Standalone.stand_ins.attributes"}

    def find_spec(self, fullname, path=None, target=None):
        if self.isListed(fullname):
            selectPropertyAttributes(fullname)
        else:
            _choices().setdefault(fullname, ORDINARY)
        return None

    def isListed(self, moduleName: str) -> bool:
        return any(moduleName == root or moduleName.startswith(root + ".") for root in self.roots)

    def chooseForLoaded(self) -> None:
        """Modules that were imported before: the listed ones get attributes, the undecided ones methods."""
        choices = _choices()
        for name in list(sys.modules):
            if self.isListed(name):
                selectPropertyAttributes(name)
            elif choices.get(name, -1) < 0:
                choices[name] = ORDINARY


_propertyAttributes = PropertyAttributes()


def selectPropertyAttributes(moduleName: str) -> None:
    """From now on the module of that name sees Qt properties as attributes, and no getters and setters of them."""
    _feature().set_selection(TRUE_PROPERTY, moduleName)


def _choices() -> dict[str, int]:
    return _feature().pyside_feature_dict


def _feature():
    """PySide6's switch, which exists once PySide6 was imported."""
    importlib.import_module("PySide6.QtCore")
    return sys.modules["__feature__"]


def install() -> None:
    """Serve ``qt``, ``ctk``, ``slicer.*`` and the module's own folder to every import that follows."""
    if _propertyAttributes not in sys.meta_path:
        sys.meta_path.insert(0, _propertyAttributes)
    import slicer

    sys.modules["qt"] = importlib.import_module("BraTSRefine.Standalone.stand_ins.qt")
    sys.modules["ctk"] = importlib.import_module("BraTSRefine.Standalone.stand_ins.ctk")
    for name in SLICER_STAND_INS:
        module = importlib.import_module(f"BraTSRefine.Standalone.stand_ins.{name}")
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
    _serveWidgets(slicer)
    _propertyAttributes.chooseForLoaded()
    serveFolder(MODULE_FOLDER)


def serveModule(folder: Path, moduleName: str) -> None:
    """Make a scripted module that lies outside of this package importable with property attributes."""
    _propertyAttributes.roots.add(moduleName)
    serveFolder(folder)


def serveFolder(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _serveWidgets(slicer) -> None:
    from .stand_ins import qmrml, segmenteditor, slicer_util

    for source, target in ((qmrml, slicer), (segmenteditor, slicer), (slicer_util, slicer.util)):
        for name in source.__all__:
            setattr(target, name, getattr(source, name))

"""The names that a Slicer module imports: put into ``sys.modules`` before the module is loaded."""

import importlib
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path

MODULE_FOLDER = Path(__file__).resolve().parents[1]
TRUE_PROPERTY = 2
SLICER_STAND_INS = ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper")


class PropertyAttributes(MetaPathFinder):
    """Makes Qt properties attributes, as PythonQt does, in each listed module before it is imported."""

    def __init__(self):
        self.roots = {"BraTSRefineUI", "BraTSRefine.BraTSRefine", "BraTSRefine.BraTSRefineUI"}

    def find_spec(self, fullname, path=None, target=None):
        if any(fullname == root or fullname.startswith(root + ".") for root in self.roots):
            selectPropertyAttributes(fullname)
        return None


_propertyAttributes = PropertyAttributes()


def selectPropertyAttributes(moduleName: str) -> None:
    """From now on the module of that name sees Qt properties as attributes; others keep the ordinary API."""
    import __feature__
    import PySide6.QtCore  # noqa: F401  (the feature switch needs it to be loaded)

    __feature__.set_selection(TRUE_PROPERTY, moduleName)


def install() -> None:
    """Serve ``qt``, ``ctk``, ``slicer.*`` and the module's own folder to every import that follows."""
    for moduleName in ("slicer.util", "BraTSRefine.Standalone.stand_ins.strict"):
        selectPropertyAttributes(moduleName)
    import slicer

    sys.modules["qt"] = importlib.import_module("BraTSRefine.Standalone.stand_ins.qt")
    sys.modules["ctk"] = importlib.import_module("BraTSRefine.Standalone.stand_ins.ctk")
    for name in SLICER_STAND_INS:
        module = importlib.import_module(f"BraTSRefine.Standalone.stand_ins.{name}")
        sys.modules[f"slicer.{name}"] = module
        setattr(slicer, name, module)
    _serveWidgets(slicer)
    _serveModuleFolder()


def serveModule(folder: Path, moduleName: str) -> None:
    """Make a scripted module that lies outside of this package importable with property attributes."""
    _propertyAttributes.roots.add(moduleName)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _serveWidgets(slicer) -> None:
    from .stand_ins import qmrml, slicer_util

    for name in qmrml.__all__:
        setattr(slicer, name, getattr(qmrml, name))
    for name in slicer_util.__all__:
        setattr(slicer.util, name, getattr(slicer_util, name))


def _serveModuleFolder() -> None:
    if _propertyAttributes not in sys.meta_path:
        sys.meta_path.insert(0, _propertyAttributes)
    if str(MODULE_FOLDER) not in sys.path:
        sys.path.append(str(MODULE_FOLDER))

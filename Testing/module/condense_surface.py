"""Condense the descriptions of Slicer's Python surface to the names that the surface check needs.

Run ``python Testing/module/condense_surface.py FOLDER`` where FOLDER holds ``pythonqt_classes.json``,
``ctk_widgets.json``, ``qmrml_widgets.json`` and ``slicer_util.json``; it writes ``slicer_surface.json`` beside itself.

A class becomes ``{bases, methods, attributes, signals, values, enums, refused}``, lists as one string of words.
A method that returns a wrapped class is written ``name:Class``. ``refused`` are names that exist in PythonQt or in
PySide6 with attributes but not in both. Qt's classes without a PySide6 counterpart are left out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

QT_PACKAGES = ("QtCore", "QtGui", "QtUiTools")
QT_LEFT_OUT = re.compile(
    r"^Q(Graphics|StyleOption|Accessible|Locale|Print|Page|Picture|OpenGL|State|Undo|Mdi|Vector|Quat)"
)
WITHOUT_OWN_METHODS = ("QAbstractListModel", "QAbstractTableModel")
APPLICATION = re.compile(
    r"^q(Slicer(Core)?Application|(Slicer|MRML)LayoutManager|MRML\w*(View|Widget)|Slicer\w*Manager)$"
)
APPLICATION_LEFT_OUT = re.compile(
    r"Markups|Transform|Display|Editor|Model|Tree|Table|List|Extensions|Event|DICOM|Tester"
)
FOREIGN_BASES = ("ctkLayoutFactory", "ctkLayoutManager")
VTK_VIEWS = ("ctkVTKAbstractView", "ctkVTKRenderView", "ctkVTKSliceView")
UTIL_MODULES = (
    "slicer.util",
    "slicer.i18n",
    "slicer.packaging",
    "slicer.ScriptedLoadableModule",
    "slicer.parameterNodeWrapper",
)
RETURN_TYPE = re.compile(r"^(?:const )?(\w+)\s*\*\s*(\w+)\(")
NAME = re.compile(r"(\w+)\(")


def condense(folder: Path) -> dict:
    """The condensed surface, from the four descriptions in a folder."""
    read = {name: json.loads((folder / f"{name}.json").read_text()) for name in _FILES}
    return {
        "qt": _qt(read["pythonqt_classes"]),
        "qtFunctions": _words(read["pythonqt_classes"]["_meta"]["extra_names_in_qt"]["functions"]),
        "ctk": _widgets(read["ctk_widgets"]),
        "slicer": _widgets(read["qmrml_widgets"]),
        "modules": {name: _module(read["slicer_util"][name]) for name in UTIL_MODULES},
        "vtk": _words(_mrmlNames()),
    }


_FILES = ("pythonqt_classes", "ctk_widgets", "qmrml_widgets", "slicer_util")


def _qt(classes: dict) -> dict:
    kept = {
        name: c
        for name, c in classes.items()
        if c.get("package") in QT_PACKAGES
        and ("portable" in c or name in WITHOUT_OWN_METHODS)
        and not QT_LEFT_OUT.match(name)
    }
    described = {name: _qtClass(c) for name, c in sorted(kept.items())}
    return {name: _packed(_withoutInherited(name, described)) for name in described}


def _withoutInherited(name: str, described: dict) -> dict:
    """A class without the virtual methods that one of its bases has, and without what a base refuses."""
    inherited = {m for base in _ancestors(name, described) for m in described[base]["methods"]}
    refused = {m for base in [name, *_ancestors(name, described)] for m in described[base]["refused"]}
    methods = [m for m in described[name]["methods"] if m not in inherited | refused]
    return {**described[name], "methods": methods}


def _ancestors(name: str, described: dict) -> list[str]:
    bases = [base for base in described[name]["bases"] if base in described]
    return bases + [further for base in bases for further in _ancestors(base, described)]


def _qtClass(described: dict) -> dict:
    portable = described.get("portable", {})
    returned = _returned(described.get("methods", []) + described.get("statics", []))
    enums = {**described.get("enums", {}), **described.get("meta_enums", {})}
    own = portable.get("own_methods_both", []) + described.get("overridable_virtuals", [])
    return {
        "bases": described.get("bases", []),
        "methods": [f"{name}:{returned[name]}" if name in returned else name for name in own],
        "attributes": portable.get("own_attrs_both", []),
        "signals": portable.get("own_signals_both", []),
        "values": [value for values in enums.values() for value in values],
        "enums": list(enums),
        "refused": [name for key, names in portable.items() if "only" in key or "conflict" in key for name in names],
    }


def _widgets(classes: dict) -> dict:
    kept = {name: c for name, c in classes.items() if not name.startswith("_") and "header" in c}
    wanted = {name: c for name, c in kept.items() if c.get("designer_plugin") or _isOfApplication(name)}
    wanted = {name: c for name, c in wanted.items() if "DICOM" not in name}
    named = {base for c in wanted.values() for base in c.get("ancestors", []) if base in kept}
    return {name: _packed(_widgetClass(kept[name])) for name in sorted({*wanted, *named})}


def _isOfApplication(name: str) -> bool:
    """Not a widget of a .ui file, but what ``slicer.app`` and its layout manager hand out."""
    return name in VTK_VIEWS + FOREIGN_BASES or (
        bool(APPLICATION.match(name)) and not APPLICATION_LEFT_OUT.search(name)
    )


def _widgetClass(described: dict) -> dict:
    methods = [m for key in ("slots", "invokables", "decorator_methods") for m in described.get(key) or []]
    returned = _returned(methods)
    names = {found.group(1) for found in map(NAME.search, methods) if found}
    enums = described.get("enums", {})
    return {
        "bases": described.get("bases", []),
        "methods": [f"{name}:{returned[name]}" if name in returned else name for name in names],
        "attributes": list(described.get("properties", {})),
        "signals": [s["signature"].partition("(")[0] for s in described.get("signals") or []],
        "values": [value for values in enums.values() for value in values],
        "refused": described.get("property_accessors_not_methods", []) + described.get("cpp_only_methods", []),
    }


def _returned(signatures: list[str]) -> dict[str, str]:
    matches = [RETURN_TYPE.match(signature) for signature in signatures]
    return {found.group(2): found.group(1) for found in matches if found and found.group(1) not in ("void", "char")}


def _module(described: dict) -> dict[str, str]:
    """Name -> the version in which it appeared, for functions, classes and constants."""
    names = {**described.get("functions", {}), **described.get("classes", {}), **described.get("exported_names", {})}
    since = {name: entry.get("since", "") for name, entry in names.items()}
    since.update(dict.fromkeys(described.get("constants", {}), ""))
    return {name: version.removeprefix("<=") for name, version in sorted(since.items())}


def _mrmlNames() -> list[str]:
    import slicer

    return [name for name in dir(slicer) if name.startswith("vtk")]


def _words(names) -> str:
    return " ".join(sorted(set(names)))


def _packed(described: dict) -> dict[str, str]:
    return {key: _words(names) for key, names in described.items() if names}


if __name__ == "__main__":
    surface = json.dumps(condense(Path(sys.argv[1])), separators=(",", ":"), sort_keys=True)
    (Path(__file__).parent / "slicer_surface.json").write_text(surface + "\n")
    print(f"{len(surface) / 1000:.0f} kB")

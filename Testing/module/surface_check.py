"""Checks a scripted module's sources against Slicer's Python surface, without Slicer.

``check(source, path, surface) -> list[Finding]`` reads the syntax tree and follows the types that are plain to see:
names of ``qt``, ``ctk``, ``slicer`` and ``vtk``; variables and attributes that are made by a constructor; widgets of
the module's .ui files; what a known method returns. On a known type every attribute must be one that PythonQt and
PySide6 with property attributes have in common; on an unknown one, names that no type has in common are refused.
"""

from __future__ import annotations

import ast
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from surface_names import NAMESPACES, Surface

OLDEST_SLICER = (5, 10)
PYTHON = (3, 12)
TWO_RESULTS = ("getOpenFileName", "getSaveFileName", "getOpenFileNames", "getText", "getInt", "getDouble", "getItem")
WIDGET_LAYOUT = "QVBoxLayout"


@dataclass(frozen=True)
class Finding:
    """One place that Slicer would not understand, and why."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def check(source: str, path: str, surface: Surface, ui: dict[str, str] | None = None, own=frozenset()) -> list[Finding]:
    """Findings of one file. ``ui``: class by object name of the .ui files; ``own``: names that the module defines."""
    try:
        tree = ast.parse(source, path, feature_version=PYTHON)
    except SyntaxError as error:
        return [Finding(path, error.lineno or 0, f"is no Python {PYTHON[0]}.{PYTHON[1]}: {error.msg}")]
    visitor = _Visitor(surface, path, ui or {}, own)
    visitor.visit(tree)
    return sorted(visitor.findings, key=lambda finding: finding.line)


def checkModule(folder: Path, surface: Surface) -> list[Finding]:
    """Findings of ``BraTSRefine.py`` and ``BraTSRefineUI`` in the module's folder."""
    files = [folder / "BraTSRefine.py", *sorted((folder / "BraTSRefineUI").rglob("*.py"))]
    sources = {file: file.read_text(encoding="utf-8") for file in files if file.is_file()}
    own = definedNames(sources.values())
    widgets, findings = widgetsOf(sorted((folder / "Resources" / "UI").glob("*.ui")), surface)
    for file, source in sources.items():
        findings += check(source, str(file.relative_to(folder)), surface, widgets, own)
    return findings


def definedNames(sources) -> frozenset[str]:
    """Functions that the module itself defines, whose names therefore say nothing about Qt."""
    trees = [ast.parse(source) for source in sources]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for tree in trees for node in ast.walk(tree) if isinstance(node, functions))


def widgetsOf(files: list[Path], surface: Surface) -> tuple[dict[str, str], list[Finding]]:
    """The class of each named widget of .ui files, and findings: unknown classes, names used twice, scoped enums."""
    widgets, findings, byFile = {}, [], {}
    for file in files:
        for element in ElementTree.parse(file).iter():
            findings += [Finding(file.name, 0, text) for text in _uiFaults(element, surface)]
            name, className = element.get("name"), element.get("class")
            if element.tag in ("widget", "layout") and name and not name.startswith("qt_"):
                if byFile.get(name) == file.name:
                    findings.append(Finding(file.name, 0, f"the object name {name} is used twice"))
                widgets[name] = className if widgets.get(name, className) == className else ""
                byFile[name] = file.name
    return widgets, findings


def _uiFaults(element, surface: Surface) -> list[str]:
    faults = []
    if element.tag == "widget" and element.get("class") not in surface.kinds:
        faults.append(f"the widget class {element.get('class')} is not known to Slicer's UI loader")
    if element.tag in ("enum", "set") and element.text and any(p.count("::") > 1 for p in element.text.split("|")):
        faults.append(f"{element.text} is a scoped enum; Qt 5 knows Class::Value only")
    return faults


class _Visitor(ast.NodeVisitor):
    """Walks one file; keeps the types of local variables by function and of self attributes by class."""

    def __init__(self, surface: Surface, path: str, ui: dict[str, str], own: frozenset[str]):
        self.surface, self.path, self.ui, self.own = surface, path, ui, own
        self.findings: list[Finding] = []
        self.scopes: list[dict[str, str]] = [{}]
        self.attributes: list[dict[str, str]] = []
        self.bases: list[str] = []
        self.guarded = 0

    def report(self, node: ast.AST, message: str) -> None:
        self.findings.append(Finding(self.path, getattr(node, "lineno", 0), message))

    # Scopes

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        wrapped = [self.typeOfClass(base) for base in node.bases]
        self.bases.append(next((name for name in wrapped if name), ""))
        layout = (
            {"layout": WIDGET_LAYOUT} if any(_isNamed(b, "ScriptedLoadableModuleWidget") for b in node.bases) else {}
        )
        self.attributes.append({**layout, **self.typesOfAttributes(node)})
        self.generic_visit(node)
        self.attributes.pop()
        self.bases.pop()

    def typesOfAttributes(self, node: ast.ClassDef) -> dict[str, str]:
        types: dict[str, str] = {}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                for target in (t for t in inner.targets if _isSelfAttribute(t)):
                    found = self.typeOf(inner.value)
                    types[target.attr] = found if types.get(target.attr, found) == found else ""
        return types

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes.append({argument.arg: "" for argument in node.args.args})
        guards = any(isinstance(inner, ast.Try) or _isNamed(inner, "hasattr") for inner in ast.walk(node))
        self.guarded += guards
        self.generic_visit(node)
        self.guarded -= guards
        self.scopes.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        found = self.typeOf(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scopes[-1][target.id] = found
            if isinstance(target, ast.Tuple) and _calledName(node.value) in TWO_RESULTS:
                self.report(node, f"{_calledName(node.value)} returns one value in PythonQt and two in PySide6")

    # Types

    def typeOfClass(self, node: ast.AST) -> str:
        isWrapped = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in NAMESPACES
        return node.attr if isWrapped and node.attr in self.surface.kinds else ""

    def typeOf(self, node: ast.AST) -> str:
        """The wrapped class of an expression, or "" where it is not plain to see."""
        if isinstance(node, ast.Call):
            return self.typeOfClass(node.func) or self.typeOfResult(node.func)
        if isinstance(node, ast.Name):
            return next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), "")
        if not isinstance(node, ast.Attribute):
            return ""
        if _dotted(node) == "slicer.app":
            return "qSlicerApplication"
        if _isNamed(node.value, "ui"):
            return self.ui.get(node.attr, "")
        if _isSelfAttribute(node) and self.attributes:
            return self.attributes[-1].get(node.attr, "")
        return ""

    def typeOfResult(self, function: ast.AST) -> str:
        owner = self.typeOf(function.value) if isinstance(function, ast.Attribute) else ""
        return self.surface.returned(owner, function.attr) if owner else ""

    # Names

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.startswith(("PySide", "PyQt", "PythonQt", "shiboken")):
                self.report(node, f"{alias.name} does not exist in Slicer; use qt")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if module.startswith(("PySide", "PyQt", "PythonQt", "shiboken")):
            self.report(node, f"{module} does not exist in Slicer; use qt")
        for alias in node.names:
            if module in self.surface.modules:
                self.checkModuleName(node, module, alias.name)
            elif module in NAMESPACES:
                self.checkNamespace(node, module, alias.name)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = _dotted(node)
        if dotted and dotted.split(".")[0] in (*NAMESPACES, "vtk"):
            self.checkDotted(node, dotted.split("."))
        else:
            self.checkMember(node)
        self.generic_visit(node)

    def checkDotted(self, node: ast.Attribute, parts: list[str]) -> None:
        if len(parts) == 2:
            self.checkNamespace(node, *parts)
        elif parts[0] == "vtk":
            return
        elif ".".join(parts[:2]) in self.surface.modules and len(parts) == 3:
            self.checkModuleName(node, ".".join(parts[:2]), parts[2])
        elif parts[1] in self.surface.kinds:
            self.checkStatic(node, parts)
        elif parts[:2] == ["slicer", "app"] and len(parts) == 3:
            self.requireMember(node, "qSlicerApplication", parts[2])
        elif parts[0] == "slicer" and len(parts) == 3:
            self.checkScene(node, parts)

    def checkNamespace(self, node: ast.AST, namespace: str, name: str) -> None:
        if namespace == "vtk":
            known = _installed("vtk", name)
        elif namespace == "slicer":
            known = name in self.surface.namespaces["slicer"] | self.surface.vtk | _SLICER_OBJECTS
            known = known or f"slicer.{name}" in self.surface.modules
        else:
            known = name in self.surface.namespaces[namespace] | (
                self.surface.functions if namespace == "qt" else set()
            )
        if not known:
            self.report(node, f"{namespace}.{name} does not exist in Slicer (or not in PySide6)")
        if (namespace, name) == ("qt", "Signal"):
            self.report(node, "qt.Signal made extensions crash; use a plain list of callables")

    def checkModuleName(self, node: ast.AST, module: str, name: str) -> None:
        names = self.surface.modules[module]
        if name == "*" or _isSubmodule(module, name):
            return
        if name not in names:
            self.report(node, f"{module}.{name} does not exist in Slicer")
        elif _version(names[name]) > OLDEST_SLICER and not self.guarded:
            self.report(node, f"{module}.{name} came with Slicer {names[name]}; ask with hasattr before")

    def checkStatic(self, node: ast.Attribute, parts: list[str]) -> None:
        className, name = parts[1], parts[2]
        if f"{className}.{name}" in _STATIC_ONLY:
            return
        member = self.surface.member(className, name)
        if member == "enum" and len(parts) > 3:
            self.report(node, f"{'.'.join(parts)} is a scoped enum; PythonQt knows {className}.{parts[3]} only")
        elif len(parts) == 3 and not member and self.surface.isWhole(className) and name not in _PYTHON_MEMBERS:
            self.report(node, f"{'.'.join(parts)} does not exist in Slicer (or not in PySide6)")

    def checkScene(self, node: ast.Attribute, parts: list[str]) -> None:
        className = "vtkMRMLScene" if parts[1] == "mrmlScene" else parts[1]
        if className.startswith("vtk") and not _installed("slicer", className, parts[2]):
            self.report(node, f"{className} has no {parts[2]}")

    def checkMember(self, node: ast.Attribute) -> None:
        owner = self.typeOf(node.value)
        if owner:
            self.requireMember(node, owner, node.attr)
        elif _isNamed(node.value, "self") and self.bases and self.bases[-1]:
            self.checkOwnMember(node, self.bases[-1])
        elif self.surface.isRefusedEverywhere(node.attr) and node.attr not in self.own:
            self.report(node, f".{node.attr} is the getter or setter of a Qt property, or a name of one side only")

    def requireMember(self, node: ast.Attribute, className: str, name: str) -> None:
        known = self.surface.member(className, name) or name in _QOBJECT_MEMBERS
        if not known and self.surface.isWhole(className):
            self.report(node, f"{className}.{name} is not there in PythonQt and PySide6 alike")

    def checkOwnMember(self, node: ast.Attribute, className: str) -> None:
        refused = any(node.attr in kind.refused for kind in self.surface.lineage(className))
        if refused and node.attr not in self.own and not self.surface.member(className, node.attr):
            self.report(node, f"{className}.{node.attr} is not there in PythonQt and PySide6 alike")

    # Calls

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if node.keywords and (self.typeOfClass(function) or self.isWrappedMethod(function)):
            self.report(node, f"{ast.unparse(function)} takes no keyword arguments in PythonQt")
        if isinstance(function, ast.Attribute):
            self.checkCalledProperty(node, function)
            if function.attr == "connect":
                self.checkConnect(node)
        self.generic_visit(node)

    def isWrappedMethod(self, function: ast.AST) -> bool:
        owner = self.typeOf(function.value) if isinstance(function, ast.Attribute) else ""
        isStatic = isinstance(function, ast.Attribute) and bool(self.typeOfClass(function.value))
        return isStatic or (bool(owner) and self.surface.member(owner, function.attr) == "method")

    def checkCalledProperty(self, node: ast.Call, function: ast.Attribute) -> None:
        owner = self.typeOf(function.value)
        if owner and self.surface.member(owner, function.attr) == "attribute":
            self.report(node, f"{owner}.{function.attr} is a property: read or set it, do not call it")

    def checkConnect(self, node: ast.Call) -> None:
        if not node.args:
            return
        handler = node.args[-1]
        if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
            self.report(node, 'connect("signal()", f) is PythonQt only: write object.signal.connect(f)')
        if isinstance(handler, ast.Call) and _calledName(handler) == "partial":
            self.report(node, "functools.partial gets all arguments in PythonQt and none in PySide6: write a lambda")
        if isinstance(handler, ast.Attribute) and self.isWrappedMethod(handler):
            self.report(node, f"{ast.unparse(handler)} is a C++ slot: write lambda *_: {ast.unparse(handler)}()")
        if isinstance(handler, ast.Lambda) and _bindsFirst(handler):
            self.report(node, "the signal's first argument replaces the bound default: begin with checked=False or *_")


_SLICER_OBJECTS = frozenset(("app", "mrmlScene", "modules", "util", "i18n", "packaging", "parameterNodeWrapper"))
_QOBJECT_MEMBERS = frozenset(
    """blockSignals children deleteLater destroyed event eventFilter findChild findChildren inherits installEventFilter
    isWidgetType killTimer metaObject objectName objectNameChanged parent property removeEventFilter setParent
    setProperty signalsBlocked startTimer""".split()  # noqa: SIM905
)
_STATIC_ONLY = frozenset(("QTimer.singleShot",))
_PYTHON_MEMBERS = frozenset(("__init__", "__name__", "__doc__"))


def _isNamed(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def _isSelfAttribute(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    inner = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner else ""


def _calledName(node: ast.AST) -> str:
    return _dotted(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def _bindsFirst(handler: ast.Lambda) -> bool:
    arguments = handler.args
    if not arguments.args or len(arguments.defaults) < len(arguments.args):
        return False
    return isinstance(arguments.defaults[0], ast.Name) and arguments.defaults[0].id == arguments.args[0].arg


def _version(text: str) -> tuple[int, int]:
    if text == "main":
        return (99, 0)
    numbers = text.lstrip("v").split(".")
    return (int(numbers[0]), int(numbers[1])) if text else (0, 0)


def _isSubmodule(module: str, name: str) -> bool:
    return f"{module}.{name}" in ("slicer.util.VTKObservationMixin",)


def _installed(package: str, *path: str) -> bool:
    """Whether an installed package has a name; True where the package is not installed and nothing can be said."""
    if importlib.util.find_spec(package) is None:
        return True
    item = importlib.import_module(package)
    for name in path:
        if not hasattr(item, name):
            return False
        item = getattr(item, name)
    return True

"""The part of ``slicer.parameterNodeWrapper`` that the module uses: typed parameters of a scripted module node.

A parameter is a bool, int, float, str, pathlib.Path, Enum, or a reference to a node; others are refused when the class
is made. ``connectGui`` binds widgets by the dynamic property ``SlicerParameterName`` that their .ui file sets.
"""

import enum
import typing
from dataclasses import dataclass, field
from pathlib import Path

import slicer
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QPushButton, QSlider, QSpinBox, QTextEdit
from vtkmodules.vtkCommonCore import vtkCommand

from . import ctk

__all__ = ["Choice", "Default", "Maximum", "Minimum", "WithinRange", "parameterNodeWrapper"]

PROPERTY = "SlicerParameterName"


@dataclass(frozen=True)
class Default:
    """The value of a parameter that was never set."""

    value: object = None


@dataclass(frozen=True)
class Minimum:
    """The least value that is accepted."""

    minimum: float

    def validate(self, value) -> None:
        if value < self.minimum:
            raise ValueError(f"{value} is less than {self.minimum}")


@dataclass(frozen=True)
class Maximum:
    """The greatest value that is accepted."""

    maximum: float

    def validate(self, value) -> None:
        if value > self.maximum:
            raise ValueError(f"{value} is greater than {self.maximum}")


@dataclass(frozen=True)
class WithinRange:
    """The least and the greatest value that are accepted."""

    minimum: float
    maximum: float

    def validate(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not between {self.minimum} and {self.maximum}")


@dataclass(frozen=True)
class Choice:
    """The values that are accepted."""

    choices: typing.Sequence

    def validate(self, value) -> None:
        if value not in self.choices:
            raise ValueError(f"{value!r} is not one of {list(self.choices)}")


@dataclass
class _Kind:
    """How one parameter is written to its node and read back."""

    type: type
    default: object
    validators: list

    @classmethod
    def ofHint(cls, hint, classDefault) -> "_Kind":
        base, *notes = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
        base = next((t for t in typing.get_args(base) if t is not type(None)), base)
        stated = [note.value for note in notes if isinstance(note, Default)]
        kind = cls(base, None, [note for note in notes if hasattr(note, "validate")])
        kind.default = stated[0] if stated else kind.firstValue() if classDefault is None else classDefault
        return kind

    def firstValue(self):
        if self.isNode:
            return None
        if issubclass(self.type, enum.Enum):
            return next(iter(self.type))
        if self.type not in (bool, int, float, str, Path):
            raise TypeError(f"The host's parameter nodes know no parameters of type {self.type}")
        choices = [v.choices[0] for v in self.validators if isinstance(v, Choice)]
        least = [v.minimum for v in self.validators if hasattr(v, "minimum")]
        return self.type(*(choices or least))

    @property
    def isNode(self) -> bool:
        return issubclass(self.type, slicer.vtkMRMLNode)

    def toText(self, value) -> str:
        return value.name if isinstance(value, enum.Enum) else str(value)

    def fromText(self, text: str):
        if issubclass(self.type, enum.Enum):
            return self.type[text]
        return text == "True" if self.type is bool else self.type(text)


def parameterNodeWrapper(cls):
    """Class decorator: each annotated name becomes a property that is stored in the wrapped parameter node."""
    kinds = {
        name: _Kind.ofHint(hint, getattr(cls, name, None))
        for name, hint in typing.get_type_hints(cls, include_extras=True).items()
    }
    body = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    body.update({name: _parameter(name, kind) for name, kind in kinds.items()})
    return type(cls.__name__, (_ParameterNode,), {**body, "_kinds": kinds})


def _parameter(name: str, kind: _Kind) -> property:
    def read(self):
        if kind.isNode:
            return self.parameterNode.GetNodeReference(name)
        text = self.parameterNode.GetParameter(name)
        return kind.fromText(text) if self.parameterNode.HasParameter(name) else kind.default

    def write(self, value):
        if kind.isNode:
            return self.parameterNode.SetNodeReferenceID(name, value.GetID() if value else None)
        for validator in kind.validators:
            validator.validate(value)
        return self.parameterNode.SetParameter(name, kind.toText(kind.type(value)))

    return property(read, write)


@dataclass
class _Binding:
    """One widget and one parameter that follow each other."""

    node: "_ParameterNode"
    name: str
    widget: QObject
    change: object = field(default=None)

    def toWidget(self) -> None:
        self.widget.blockSignals(True)
        _WIDGETS[_widgetClass(self.widget)].write(self.widget, getattr(self.node, self.name))
        self.widget.blockSignals(False)

    def toNode(self, *_) -> None:
        kind = self.node._kinds[self.name]
        value = _WIDGETS[_widgetClass(self.widget)].read(self.widget)
        isEnum = issubclass(kind.type, enum.Enum)
        setattr(self.node, self.name, kind.type[value] if isEnum else kind.type(value))

    def connect(self) -> None:
        self.toWidget()
        self.change = getattr(self.widget, _WIDGETS[_widgetClass(self.widget)].signal)
        self.change.connect(self.toNode)

    def disconnect(self) -> None:
        self.change.disconnect(self.toNode)


class _ParameterNode:
    """Base of the wrapped classes."""

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        self._bindings: dict[int, tuple[list[_Binding], int]] = {}

    def connectGui(self, gui) -> int:
        """Bind the widgets of ``gui`` (from ``childWidgetVariables``, or a widget); the tag ends the binding."""
        widgets = gui.findChildren(QObject) if isinstance(gui, QObject) else list(vars(gui).values())
        bindings = [_Binding(self, w.property(PROPERTY), w) for w in widgets if w.property(PROPERTY) in self._kinds]
        for binding in bindings:
            binding.connect()
        observer = self.parameterNode.AddObserver(
            vtkCommand.ModifiedEvent, lambda *_: [binding.toWidget() for binding in bindings]
        )
        tag = len(self._bindings) + 1
        self._bindings[tag] = bindings, observer
        return tag

    def disconnectGui(self, tag: int) -> None:
        """End a binding that ``connectGui`` made."""
        bindings, observer = self._bindings.pop(tag)
        self.parameterNode.RemoveObserver(observer)
        for binding in bindings:
            binding.disconnect()

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        return self.parameterNode.RemoveObserver(tag)


@dataclass(frozen=True)
class _Access:
    signal: str
    read: typing.Callable
    write: typing.Callable


def _writeCombo(widget: QComboBox, value) -> None:
    widget.setCurrentText(value.name if isinstance(value, enum.Enum) else str(value))


_number = _Access("valueChanged", lambda w: w.value(), lambda w, v: w.setValue(v))
_ctkNumber = _Access("valueChanged", lambda w: w.value, lambda w, v: setattr(w, "value", v))
_checked = _Access("toggled", lambda w: w.isChecked(), lambda w, v: w.setChecked(v))
_WIDGETS = {
    QCheckBox: _checked,
    QPushButton: _checked,
    QSpinBox: _number,
    QSlider: _number,
    QDoubleSpinBox: _number,
    ctk.ctkDoubleSpinBox: _ctkNumber,
    ctk.ctkSliderWidget: _ctkNumber,
    QLineEdit: _Access("textChanged", lambda w: w.text(), lambda w, v: w.setText(v)),
    QTextEdit: _Access("textChanged", lambda w: w.toPlainText(), lambda w, v: w.setPlainText(v)),
    QComboBox: _Access("currentTextChanged", lambda w: w.currentText(), _writeCombo),
    ctk.ctkPathLineEdit: _Access(
        "currentPathChanged", lambda w: w.currentPath, lambda w, v: setattr(w, "currentPath", str(v))
    ),
    ctk.ctkDirectoryButton: _Access(
        "directoryChanged", lambda w: w.directory, lambda w, v: setattr(w, "directory", str(v))
    ),
}
_WIDGETS[ctk.ctkComboBox] = _WIDGETS[QComboBox]


def _widgetClass(widget: QObject) -> type:
    if type(widget) not in _WIDGETS:
        raise TypeError(f"Slicer binds no parameter to a {type(widget).__name__} (subclasses do not match)")
    return type(widget)

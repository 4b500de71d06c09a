"""What surrounds a scripted module in the application: its record, its panel, the registry ``slicer.modules``."""

from PySide6.QtWidgets import QVBoxLayout

from .qmrml import qMRMLWidget


class ModuleRecord:
    """``slicer.modules.<name>``: the properties of a module that the module itself or others ask for."""

    __slots__ = (
        "_logic",
        "_widget",
        "acknowledgementText",
        "associatedNodeTypes",
        "categories",
        "contributors",
        "dependencies",
        "helpText",
        "hidden",
        "icon",
        "index",
        "name",
        "path",
        "title",
        "widgetRepresentationCreationEnabled",
    )

    def __init__(self, name: str, logic=None):
        self.name = self.title = name
        self.categories, self.dependencies, self.contributors, self.associatedNodeTypes = [], [], [], []
        self.helpText = self.acknowledgementText = self.path = ""
        self.hidden = False
        self._logic, self._widget = logic, None

    def logic(self):
        """The module's C++ logic, or None for a scripted module."""
        return self._logic

    def widgetRepresentation(self):
        """The panel, or None before it was built."""
        return self._widget


class Modules:
    """``slicer.modules``: a record for each module, by its name in lower case."""

    def register(self, name: str, record: ModuleRecord) -> None:
        record.name = name
        setattr(self, name.lower(), record)

    def names(self) -> list[str]:
        return [record.name for record in vars(self).values() if isinstance(record, ModuleRecord)]


class ModuleManager:
    """``slicer.app.moduleManager()``."""

    def __init__(self, modules: Modules):
        self._modules = modules

    def module(self, name: str):
        """The record of a module, or None."""
        return getattr(self._modules, name.lower(), None)

    def modulesNames(self) -> list[str]:
        return self._modules.names()


class ModulePanel(qMRMLWidget):
    """The container that a scripted module's widget gets as its parent."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._entered = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    @property
    def isEntered(self) -> bool:
        return self._entered

"""Setting an attribute of a stand-in as PythonQt would. This module sees Qt properties as attributes (``names``)."""

STAND_INS = __name__.rpartition(".")[0]


def isStandIn(cls: type) -> bool:
    return cls.__module__.startswith(STAND_INS)


class CheckedAttributes:
    """Mixin that sets a property, or the stand-in's own underscored attribute, and refuses anything else."""

    def __setattr__(self, name, value):
        if not isStandIn(type(self)) or name.startswith("_") or hasattr(type(self), name):
            super().__setattr__(name, value)
        elif getattr(value, "objectName", None) != name:
            kind = type(self).__name__
            raise AttributeError(f"{kind} has no attribute {name!r}, and PythonQt does not let one be made")
        # else: PySide6's UI loader makes every named child an attribute of the top widget; Slicer's does not.

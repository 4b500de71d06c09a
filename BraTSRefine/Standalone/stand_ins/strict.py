"""What PythonQt refuses, refused here too."""

from .attributes import CheckedAttributes, isStandIn


class StrictAttributes(CheckedAttributes):
    """Mixin of a stand-in widget: no keyword arguments and no attribute that the real widget does not have.

    PythonQt says "creating new attributes on C++ objects is not allowed"; PySide6 would take them. Names that start
    with an underscore are the stand-in's own; a class that a module derives from it may have any, as in Slicer.
    """

    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        if "__init__" in cls.__dict__ and isStandIn(cls):
            cls.__init__ = _positionalOnly(cls.__name__, cls.__init__)


def _positionalOnly(className, initialise):
    def __init__(self, *arguments, **named):
        if named or len(arguments) > 1:
            raise ValueError(f"{className} takes its parent only and no keyword arguments, as in Slicer")
        initialise(self, *arguments)

    return __init__

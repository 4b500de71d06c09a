"""What PythonQt refuses, refused here too. This module sees Qt properties as attributes (see ``names.install``)."""

STAND_INS = __name__.rpartition(".")[0]


class StrictAttributes:
    """Mixin of a stand-in widget: no keyword arguments and no attribute that the real widget does not have.

    PythonQt says "creating new attributes on C++ objects is not allowed"; PySide6 would take them. Names that start
    with an underscore are the stand-in's own; a class that a module derives from it may have any, as in Slicer.
    """

    def __init_subclass__(cls, **arguments):
        super().__init_subclass__(**arguments)
        if "__init__" in cls.__dict__ and _isStandIn(cls):
            cls.__init__ = _positionalOnly(cls.__name__, cls.__init__)

    def __setattr__(self, name, value):
        if _isStandIn(type(self)) and not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}, and PythonQt does not let one be made"
            )
        super().__setattr__(name, value)


def _isStandIn(cls) -> bool:
    return cls.__module__.startswith(STAND_INS)


def _positionalOnly(className, initialise):
    def __init__(self, *arguments, **named):
        if named or len(arguments) > 1:
            raise ValueError(f"{className} takes its parent only and no keyword arguments, as in Slicer")
        initialise(self, *arguments)

    return __init__

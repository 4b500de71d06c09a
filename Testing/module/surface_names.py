"""The names that a scripted module may use in Slicer, read from ``slicer_surface.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

NAMESPACES = ("qt", "ctk", "slicer")
RARE = ("QText", "QInputMethod")


@dataclass
class Kind:
    """One wrapped class, with its own members only."""

    bases: tuple[str, ...] = ()
    methods: dict[str, str] = field(default_factory=dict)
    attributes: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    enums: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()

    @classmethod
    def unpacked(cls, packed: dict[str, str]) -> Kind:
        words = {key: tuple(text.split()) for key, text in packed.items()}
        methods = dict(word.partition(":")[::2] for word in words.pop("methods", ()))
        bases = words.pop("bases", ())
        return cls(bases, methods, **{key: frozenset(names) for key, names in words.items()})


class Surface:
    """The names that a module may use."""

    def __init__(self, described: dict):
        self.kinds: dict[str, Kind] = {}
        self.namespaces: dict[str, frozenset[str]] = {}
        for namespace in NAMESPACES:
            self.namespaces[namespace] = frozenset(described[namespace])
            self.kinds.update({name: Kind.unpacked(packed) for name, packed in described[namespace].items()})
        self.functions = frozenset(described["qtFunctions"].split())
        self.vtk = frozenset(described["vtk"].split())
        self.modules = described["modules"]
        self._alwaysRefused = self._refusedEverywhere()

    @classmethod
    def read(cls) -> Surface:
        return cls(json.loads((Path(__file__).parent / "slicer_surface.json").read_text()))

    def lineage(self, name: str) -> list[Kind]:
        """A class and its ancestors, nearest first."""
        kind = self.kinds.get(name)
        return [kind, *(k for base in kind.bases for k in self.lineage(base))] if kind else []

    def member(self, className: str, name: str) -> str:
        """``method``, ``attribute``, ``signal``, ``value``, ``enum``, or "" for what is not there on both sides."""
        for kind in self.lineage(className):
            for what in ("attributes", "signals", "methods", "values", "enums"):
                if name in getattr(kind, what):
                    return what.removesuffix("s")
            if name in kind.refused:
                return ""
        return ""

    def returned(self, className: str, method: str) -> str:
        found = (kind.methods[method] for kind in self.lineage(className) if method in kind.methods)
        return next((name for name in found if name in self.kinds), "")

    def isWhole(self, className: str) -> bool:
        """Whether all ancestors of a class are described, so that a missing member is a mistake."""
        kind = self.kinds.get(className)
        return kind is not None and all(self.isWhole(base) for base in kind.bases)

    def isRefusedEverywhere(self, name: str) -> bool:
        return name in self._alwaysRefused

    def _refusedEverywhere(self) -> frozenset[str]:
        qt = [self.kinds[name] for name in self.namespaces["qt"] if not name.startswith(RARE)]
        refused = frozenset().union(*(kind.refused for kind in qt))
        known = [kind.attributes | kind.signals | frozenset(kind.methods) for kind in qt]
        return refused - frozenset().union(*known)

"""What a report is made of: sections of paragraphs, tables and plots, before they become HTML, Markdown or CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from .markup import Html


@dataclass(frozen=True)
class ReportTable:
    """One table: ``frame`` in full precision is exported as ``<name>.csv``, ``caption`` says what its numbers are.

    ``view`` is shown in the page instead of the plain table where that reads better. ``rows`` limits what the page
    shows, never what is exported. ``folded`` tables are opened by a click.
    """

    name: str
    title: str
    frame: pd.DataFrame
    caption: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    view: Html | None = None
    rows: int | None = None
    folded: bool = False

    @property
    def file(self) -> str:
        return f"{self.name}.csv"


@dataclass(frozen=True)
class Plot:
    """One figure of plotly: ``traces`` and ``layout`` as plotly.js takes them.

    With ``views`` the reader chooses which traces are shown: those whose ``meta`` is the chosen view.
    """

    name: str
    traces: tuple[dict, ...]
    layout: Mapping[str, object]
    caption: str
    height: int = 420
    views: tuple[str, ...] = ()


Part = str | ReportTable | Plot
"""A text is a paragraph; one that is ``Html`` is for the page alone."""


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; ``name`` is its anchor."""

    name: str
    title: str
    parts: tuple[Part, ...]

    @property
    def tables(self) -> list[ReportTable]:
        return [part for part in self.parts if isinstance(part, ReportTable)]

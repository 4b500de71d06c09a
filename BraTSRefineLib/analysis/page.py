"""The report as one HTML page that needs no connection: its tables carry their CSV, its plots their data."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from .document import Plot, ReportTable, Section
from .export import csv_link
from .markup import Html, element, joined
from .plots import plot_html, plotly_script
from .table_view import table_html

LONG = 40
"""Rows from which a table of numbers is opened by a click only."""


def page(title: str, summary: Sequence[str], sections: Sequence[Section], folder: str, footer: str) -> str:
    """The whole page. ``summary`` holds sentences, the most important first; ``folder`` is that of the tables."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", _resource("report.css")),
    )
    links = [element("a", section.title, href=f"#{section.name}") for section in sections]
    header = element("header", element("strong", title), element("nav", *links), _research_only())
    first = element("section", element("h1", summary[0]), *(element("p", s) for s in summary[1:]), class_="summary")
    main = element("main", first, *(_section(section, folder) for section in sections))
    scripts = joined(*_scripts(sections))
    body = element("body", header, main, element("footer", footer, " ", _research_only()), scripts)
    return f'<!DOCTYPE html>\n<html lang="en">{head}{body}</html>\n'


def _research_only() -> Html:
    return element("span", "For research use only", class_="research")


def _scripts(sections: Sequence[Section]) -> list[Html]:
    """plotly.js only where there is something to plot."""
    plotted = any(isinstance(part, Plot) for section in sections for part in section.parts)
    return [*([plotly_script()] if plotted else []), element("script", _resource("report.js"))]


def _resource(name: str) -> Html:
    return Html((files(__package__) / name).read_text(encoding="utf-8"))


def _section(section: Section, folder: str) -> Html:
    parts = (_part(part, folder) for part in section.parts)
    return element("section", element("h2", section.title), *parts, id=section.name)


def _part(part: str | ReportTable | Plot, folder: str) -> Html:
    if isinstance(part, Plot):
        return plot_html(part)
    if isinstance(part, ReportTable):
        return _table(part, folder)
    return part if isinstance(part, Html) else element("p", part, class_="quiet")


def _table(one: ReportTable, folder: str) -> Html:
    csv = element("a", "CSV", class_="csv", href=csv_link(one, folder), download=one.file, title=f"Save as {one.file}")
    caption = element("p", one.caption, class_="quiet caption") if one.caption else None
    shown_table = one.view if one.view is not None else table_html(one.frame, one.headings, one.rows)
    if one.folded or (one.view is None and len(one.frame) > LONG):
        head = element("summary", one.title)
        return element("details", head, element("div", csv, class_="table-head"), caption, shown_table)
    return joined(element("div", element("h3", one.title), csv, class_="table-head"), caption, shown_table)

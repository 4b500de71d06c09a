"""HTML built from elements, so that no text from a file's name gets into a page unescaped."""

from __future__ import annotations

import re
from html import escape


class Html(str):
    """Text that is HTML already; every other text is escaped where it is put into an element."""

    __slots__ = ()


VOID = ("img", "meta", "br")


def element(name: str, /, *children: object, **attributes: object) -> Html:
    """``element("td", "a < b", class_="figure")``; an attribute ends in ``_`` where Python keeps its name."""
    shown = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items())
    opening = f"<{name}{shown}>"
    return Html(opening if name in VOID else f"{opening}{joined(*children)}</{name}>")


def joined(*children: object) -> Html:
    """The children one after the other, escaped where they are not HTML; None is nothing."""
    return Html("".join(_html(child) for child in children if child is not None))


def _html(child: object) -> str:
    return child if isinstance(child, Html) else escape(str(child))


def table(headings: list[object], rows: list[list[object]], **attributes: object) -> Html:
    """A table with a head; a cell that is an element of its own (``td``, ``th``) is taken as it is."""
    head = element("thead", element("tr", *(_cell(heading, "th") for heading in headings)))
    body = element("tbody", *(element("tr", *(_cell(cell, "td") for cell in row)) for row in rows))
    return element("table", head, body, **attributes)


def _cell(content: object, name: str) -> Html:
    if isinstance(content, Html) and content.startswith(("<td", "<th")):
        return content
    return element(name, content)


def listing(items: list[object], **attributes: object) -> Html:
    """An unordered list."""
    return element("ul", *(element("li", item) for item in items), **attributes)


def breakable(name: str) -> Html:
    """A long name that may be broken after an underscore, a hyphen or a slash, as people read it."""
    parts = re.split(r"(?<=[-_/])", name)
    return Html("<wbr>".join(joined(part) for part in parts))

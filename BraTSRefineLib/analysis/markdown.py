"""The report as Markdown (GitHub's): the summary and the tables, for a message, a notebook or a repository."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .cells import heading, is_numeric, shown
from .document import Plot, ReportTable, Section
from .markup import Html

MOST_ROWS = 30
SPECIAL = re.compile(r"([\\`*_\[\]|<>])")


def markdown(title: str, summary: Sequence[str], sections: Sequence[Section], folder: str, footer: str) -> str:
    """The whole report; ``folder`` is where the tables lie as CSV, named from where the text will lie."""
    first, *rest = summary
    blocks = [f"# {plain(title)}", f"**{plain(first)}**", *(plain(sentence) for sentence in rest)]
    for section in sections:
        blocks += _section(section, folder)
    return "\n\n".join([*blocks, "---", plain(footer)]) + "\n"


def plain(text: object) -> str:
    """Any text, with nothing in it that Markdown or HTML would take for its own."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _section(section: Section, folder: str) -> list[str]:
    blocks = [f"## {plain(section.title)}"]
    for part in section.parts:
        if isinstance(part, ReportTable):
            blocks += _table(part, folder)
        elif isinstance(part, Plot):
            blocks.append(f"*Plot in the HTML report: {plain(part.caption)}*")
        elif not isinstance(part, Html):
            blocks.append(plain(part))
    return blocks if len(blocks) > 1 else []


def _table(table: ReportTable, folder: str) -> list[str]:
    caption = f"{plain(table.caption)} " if table.caption else ""
    blocks = [f"### {plain(table.title)}", f"{caption}([{plain(table.file)}]({folder}/{table.file}))"]
    frame = table.frame
    if frame.empty:
        return [*blocks, "*No row.*"]
    heads = [plain(heading(column, table.headings)) for column in frame.columns]
    rules = ["---:" if is_numeric(frame, column) else "---" for column in frame.columns]
    rows = [
        [plain(shown(column, value)) for column, value in zip(frame.columns, row, strict=True)]
        for row in frame.head(MOST_ROWS).itertuples(index=False, name=None)
    ]
    blocks.append("\n".join(f"| {' | '.join(cells)} |" for cells in [heads, rules, *rows]))
    left_out = len(frame) - MOST_ROWS
    return [*blocks, f"*{left_out} more rows in the file.*"] if left_out > 0 else blocks

"""What two readers decided differently, and what a third made of it. No Qt, no MRML."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from BraTSRefineLib.review import Event


@dataclass(frozen=True)
class Dispute:
    """Something that two readers decided differently; ``adjudicated`` by a third, or still empty."""

    case: str
    model: str
    flag: str
    decisions: dict[str, str]
    adjudicated: str = ""
    adjudicator: str = ""

    @property
    def item(self) -> tuple[str, str, str]:
        return self.case, self.model, self.flag

    @property
    def choices(self) -> str:
        """What was decided, without who."""
        return " / ".join(dict.fromkeys(self.decisions.values()))

    @property
    def words(self) -> str:
        return ", ".join(f"{who}: {decision}" for who, decision in self.decisions.items())


def disputesOf(events: Iterable[Event], reader: str, cases: Collection[str]) -> list[Dispute]:
    """Those about these cases, open ones first; of what the reader decided only what a third person has adjudicated."""
    from BraTSRefineLib.review import disagreements

    rows = disagreements(event for event in events if event.case in cases).itertuples(index=False)
    found = [Dispute(r.case, r.model, r.flag, r.decisions, r.adjudicated, r.adjudicator) for r in rows]
    return [one for one in found if one.adjudicated or reader not in one.decisions]

"""What one reader sees of a review: independent reads stay blind to each other until a third person decided."""

from __future__ import annotations

from collections.abc import Iterable

from .store_events import ADJUDICATION, DECISION, OPENED, SECOND_READER, Event
from .store_state import standing


def visible_to(events: Iterable[Event], who: str) -> list[Event]:
    """The events that count and that this reader may see, in order.

    Their own; every adjudication, and with it what readers said of that item; and that somebody asked for a second
    reader, without the note, until another person than that one decided the case.
    """
    counting = standing(events)
    judged = {event.item for event in counting if event.kind == ADJUDICATION}
    read = {(event.case, event.model, event.who) for event in counting if event.kind == DECISION}
    answered = {e.uid for e in counting if e.kind == SECOND_READER and _was_answered(e, read)}
    return [event for event in counting if event.uid not in answered and _is_visible(event, who, judged)]


def seen_by(who: str | None, events: Iterable[Event], model: str | None = None) -> list[Event]:
    """The events as a reader may see them, as they are without one; with ``model`` only what is of it, or of none."""
    found = [event for event in events if model is None or event.model in ("", model)]
    return found if who is None else visible_to(found, who)


def last_of(events: Iterable[Event], who: str, *, also_opened: bool = True) -> Event | None:
    """The newest thing that counts of this person; None where there is none.

    What was opened for another purpose than the review (``payload["purpose"]``) is none of it.
    """
    mine = [event for event in standing(events) if event.who == who]
    mine = [event for event in mine if event.kind != OPENED or (also_opened and not event.payload.get("purpose"))]
    return mine[-1] if mine else None


def _is_visible(event: Event, who: str, judged: set) -> bool:
    return event.who == who or event.kind in (ADJUDICATION, SECOND_READER) or event.item in judged


def _was_answered(asked: Event, read: set[tuple[str, str, str]]) -> bool:
    return any(case == asked.case and model == asked.model and who != asked.who for case, model, who in read)

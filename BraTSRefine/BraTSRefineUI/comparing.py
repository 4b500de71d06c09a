"""What is compared in the shown case: the members of an ensemble one after another, models beside each other."""

from __future__ import annotations

from . import members
from .members import Member
from .session import Session


class Comparing:
    """``place`` counts the ``names`` of the members from 1; 0 is the chosen model, of which there is no ``member``.

    They are its own members where it ``isEnsemble``, else the models of the cohort.

    ``beside`` are the models of the layout *Models* by place, as far as they were read; ``asked`` those that somebody
    chose for it. Everything is forgotten when the case, the model or the labels of the reference change.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.asked: list[str] = []
        self.forget()

    def forget(self) -> None:
        """Another case or model is shown."""
        self.place = 0
        self.member: Member | None = None
        self.beside: dict[int, Member] = {}
        self.names, self.isEnsemble = members.membersOf(self.session)
        self._of = self._shown()

    def refresh(self) -> bool:
        """Follow the session; True where another case, model or prediction is shown and all was forgotten."""
        if self._of != self._shown():
            self.forget()
            return True
        self.member = members.rated(self.member, self.session) if self.member else None
        self.beside = {place: members.rated(each, self.session) for place, each in self.beside.items()}
        return False

    def step(self, place: int) -> Member | None:
        """Go to a member, or with 0 back to the chosen model; the ends meet."""
        self.place = place % (len(self.names) + 1)
        self.member = members.readMember(self.session, self.names[self.place - 1]) if self.place else None
        return self.member

    def wanted(self) -> list[str]:
        """The models of *Models*, the chosen one first."""
        return members.beside(self.session, self.asked)

    def take(self, place: int) -> Member:
        """Read the model of a place of *Models*."""
        model, session = self.wanted()[place], self.session
        if place == 0:
            self.beside[0] = members.rated(Member(model, session.data.prediction), session)
        else:
            self.beside[place] = members.read(session, model)
        return self.beside[place]

    def _shown(self) -> tuple:
        session = self.session
        return session.case, session.model, session.data.prediction, session.data.reference

"""The members of an ensemble and the models beside each other: which there are in a case, and their label maps.

No Qt, no MRML. A fused model has the models that it was made from as members; any other is one of the cohort's models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import casedata
from .casedata import Labels

if TYPE_CHECKING:
    from .session import Session

SHOWN_AT_FIRST = 4


@dataclass(frozen=True)
class Member:
    """A model's label map of the shown case, with its Dice in the chosen region; ``problem`` says why it is missing."""

    model: str
    labels: Labels | None = None
    dice: float | None = None
    problem: str = ""


def membersOf(session: Session) -> tuple[list[str], bool]:
    """The models between which one can step in the shown case, and whether they are the chosen one's own members.

    None where there are not two.
    """
    if not session.case:
        return [], False
    made = set(session.madeModels)
    madeFrom = _has(session, _madeFrom(session) if session.model in made else [])
    if len(madeFrom) > 1:
        return madeFrom, True
    own = _has(session, [model for model in session.models if model not in made])
    return own if len(own) > 1 else [], False


def beside(session: Session, chosen: list[str]) -> list[str]:
    """The models of *Models*: the chosen one first, then those that were asked for, else the next ones of the case."""
    others = [model for model in chosen if model != session.model and model in session.models]
    if not chosen:
        others = [model for model in membersOf(session)[0] if model != session.model][: SHOWN_AT_FIRST - 1]
    return [model for model in (session.model, *others) if model]


def read(session: Session, model: str) -> Member:
    """A model's label map of the shown case, from its file."""
    from BraTSRefineLib.cohort.volumes import VolumeError

    case = session.cohort[session.case]
    if model not in case.predictions:
        return Member(model, problem="no prediction")
    try:
        labels = casedata.readLabels(case.predictions[model], case.convention_of(model), model)
    except (VolumeError, IndexError) as error:
        return Member(model, problem=str(error))
    return rated(Member(model, labels), session)


def rated(member: Member, session: Session) -> Member:
    """The same with its Dice in the region that is chosen now."""
    return Member(
        member.model,
        member.labels,
        casedata.dice(session.data.reference, member.labels, session.region),
        member.problem,
    )


def _has(session: Session, models: list[str]) -> list[str]:
    predictions = session.cohort[session.case].predictions
    return [model for model in models if model in predictions]


def _madeFrom(session: Session) -> list[str]:
    """The models that a fusion took in this case; empty for what was made otherwise."""
    import pandas as pd

    path = session.workspace.run(session.model) / "outputs" / "members.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return list(table[table["case"] == session.case]["model"])

"""The members of an ensemble and the models beside each other: which there are in a case, and their label maps.

No Qt, no MRML. A fused model has the models that it was made from as members, a model that several trained ones
predicted here what each of them says alone; any other is one of the cohort's models.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
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
    own = list(_ownFiles(session)) or _fusedFrom(session)
    return (own, True) if own else (_ofCohort(session), False)


def beside(session: Session, chosen: list[str]) -> list[str]:
    """The models of *Models*: the chosen one first, then those that were asked for, else the next ones of the case."""
    others = [model for model in chosen if model != session.model and model in session.models]
    if not chosen:
        around = _fusedFrom(session) or _ofCohort(session)
        others = [model for model in around if model != session.model][: SHOWN_AT_FIRST - 1]
    return [model for model in (session.model, *others) if model]


def readMember(session: Session, name: str) -> Member:
    """One of ``membersOf``, from its file."""
    path = _ownFiles(session).get(name)
    return _read(session, name, path, session.model) if path else read(session, name)


def read(session: Session, model: str) -> Member:
    """A model's label map of the shown case, from its file."""
    path = session.cohort[session.case].predictions.get(model)
    return _read(session, model, path, model) if path else Member(model, problem="no prediction")


def _read(session: Session, name: str, path: Path, model: str) -> Member:
    """``model``: in whose convention the file is written."""
    from BraTSRefineLib.cohort.volumes import VolumeError

    try:
        labels = casedata.readLabels(path, session.cohort[session.case].convention_of(model), name)
    except (VolumeError, IndexError) as error:
        return Member(name, problem=str(error))
    return rated(Member(name, labels), session)


def rated(member: Member, session: Session) -> Member:
    """The same with its Dice in the region that is chosen now."""
    return Member(
        member.model,
        member.labels,
        casedata.dice(session.data.reference, member.labels, session.region),
        member.problem,
    )


def _several(session: Session, models: list[str]) -> list[str]:
    """Those of the models that have a label map of the shown case; none where there are not two."""
    predictions = session.cohort[session.case].predictions if session.case else {}
    there = [model for model in models if model in predictions]
    return there if len(there) > 1 else []


def _ofCohort(session: Session) -> list[str]:
    """The data's own models."""
    made = set(session.madeModels)
    return _several(session, [model for model in session.models if model not in made])


def _fusedFrom(session: Session) -> list[str]:
    """The models that a fusion took in this case, if the chosen one is such."""
    if session.model not in session.madeModels:
        return []
    import pandas as pd

    path = session.workspace.run(session.model) / "outputs" / "members.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return _several(session, list(table[table["case"] == session.case]["model"]))


def _ownFiles(session: Session) -> dict[str, Path]:
    """What each of the trained models says alone that predicted the chosen one together, by a short name."""
    if session.model not in session.madeModels:
        return {}
    from BraTSRefineLib.jobs import JobError
    from BraTSRefineLib.jobs.predicted import Predicted

    try:
        files = Predicted(session.workspace, session.model).members(session.case)
    except JobError:
        return {}  # a damaged record counts as a case that was not predicted
    for short in (_fold, _configuration):
        named = {short(name): path for name, path in files.items()}
        if len(named) == len(files):
            return named
    return files


def _fold(name: str) -> str:
    """``Dataset137/nnUNetTrainer__nnUNetPlans__3d_fullres/fold_0`` as ``fold_0``."""
    return name.rsplit("/", 1)[-1]


def _configuration(name: str) -> str:
    """The same as ``3d_fullres/fold_0``."""
    return name.rsplit("__", 1)[-1]

"""What is read of a case, from which files, and what takes time to work out from them. No Qt, no MRML.

It is the same whether the window reads a case itself or another process reads it ahead (``prefetch``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import casedata, maps, tables
from .casedata import CaseData, Labels, UncertaintyMap
from .maps import MapFile

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.case import Case
    from BraTSRefineLib.cohort.workspace import Workspace

Stamp = tuple[tuple[int, int], ...]
REGIONS = ("WT", "TC", "ET")
UNKNOWN_PACKING = 4
"""How much larger than its file a volume without a NIfTI header is taken to be."""


@dataclass(frozen=True)
class Reading:
    """A question: this case for that model and with that map. The answer is the same until a file changes.

    ``voters`` are the models whose majority stands in for a missing reference. ``corrected`` is the correction that is
    shown in the place of the model's prediction. Without images for a case whose images are shown already.
    """

    case: Case
    model: str = ""
    voters: tuple[str, ...] = ()
    map: MapFile | None = None
    workspace: Workspace | None = None
    corrected: Path | None = None
    hasImages: bool = True

    @property
    def shown(self) -> Path | None:
        """The label map that is looked at."""
        return self.corrected or self.case.predictions.get(self.model)

    def files(self) -> list[Path]:
        """Every file that the answer depends on, in a fixed order."""
        case = self.case
        voters = (case.predictions.get(model) for model in self.voters)
        volumes = (*case.images.values(), case.reference, self.shown, *voters, self.map.path if self.map else None)
        return [path for path in volumes if path is not None]

    def stamp(self) -> Stamp:
        """Size and time of last change of each file, which tell whether an answer still holds."""
        from BraTSRefineLib.cohort.file_state import file_state

        return tuple(map(file_state, self.files()))

    def voxelBytes(self) -> int:
        """How many bytes have to be read and worked on, from the files' headers alone."""
        return sum(_unpackedBytes(path) for path in self.files())


@dataclass(frozen=True)
class CaseRead:
    """The answer. ``uncertainty`` is None as well where its file could not be read: who shows the map finds out why.

    ``verdicts`` say by region what is wrong with the prediction, as far as that was worked out.
    """

    data: CaseData
    imageProblems: tuple[str, ...] = ()
    uncertainty: UncertaintyMap | None = None
    verdicts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def over(self, known: CaseData, imageProblems: tuple[str, ...]) -> CaseRead:
        """Labels that were read alone, with the images that are known; a reference that is known stays the same."""
        data, isKnown = self.data, known.reference is not None and not known.consensus
        reference = known.reference if isKnown else data.reference
        problems = tuple(dict.fromkeys((*imageProblems, *data.problems)))
        data = replace(data, images=known.images, reference=reference, problems=problems)
        return replace(self, data=data, imageProblems=imageProblems)


def readCase(reading: Reading, tell: Callable[[str], None] = lambda part: None) -> CaseRead:
    """Read everything; what cannot be read is absent and said in ``problems``. ``tell`` hears which part comes next."""
    images, problems = None, []
    if reading.hasImages:
        tell("images")
        images, problems = casedata.readImages(reading.case)
    tell("labels")
    read = withLabels(reading, CaseData(reading.case.case, images), tuple(problems))
    tell("map")
    return CaseRead(read.data, read.imageProblems, _tryMap(reading))


def workOut(read: CaseRead) -> CaseRead:
    """Everything that scene and card will ask of the arrays; it is kept with them."""
    for image in (read.data.images or {}).values():
        image.window  # noqa: B018
    for image in list((read.data.images or {}).values())[:1]:
        image.brain  # noqa: B018
    for labels in (read.data.reference, read.data.prediction):
        if labels is not None:
            labels.bounds, labels.regionBounds, labels.surfaces  # noqa: B018
    return replace(read, verdicts={region: tables.verdict(read.data, region) for region in REGIONS})


def withLabels(reading: Reading, known: CaseData, imageProblems: tuple[str, ...]) -> CaseRead:
    """The case's images as they are known, with reference and prediction; a reference that is known is not read again.

    Without a reference the consensus is made anew: it leaves the chosen model out.
    """
    reference, consensus, wrong = _reference(reading, known)
    prediction, alsoWrong = _prediction(reading)
    problems = (*imageProblems, *wrong, *alsoWrong, *_problemsOf(reading.case, reading.model))
    labels = reference, prediction, consensus
    return CaseRead(CaseData(known.case, known.images, *labels, tuple(dict.fromkeys(problems))), imageProblems)


def _reference(reading: Reading, known: CaseData):
    """Reference or consensus, whether it is a consensus, and what could not be read."""
    case = reading.case
    if case.reference is None:
        return (casedata.consensus(case, reading.voters) if reading.model else None), True, ()
    if known.reference is not None and not known.consensus:
        return known.reference, False, ()
    labels, problems = _tryLabels(case.reference, case.labels, "reference")
    return labels, False, problems


def _prediction(reading: Reading):
    path = reading.shown
    if path is None:
        return None, ((f"no prediction of {reading.model}",) if reading.model else ())
    return _tryLabels(path, reading.case.convention_of(reading.model), reading.model)


def _tryLabels(path, convention, name: str) -> tuple[Labels | None, tuple[str, ...]]:
    from BraTSRefineLib.cohort.volumes import VolumeError

    try:
        return casedata.readLabels(path, convention, name), ()
    except (VolumeError, IndexError) as error:
        return None, (str(error),)


def _tryMap(reading: Reading) -> UncertaintyMap | None:
    from BraTSRefineLib.cohort.volumes import VolumeError
    from BraTSRefineLib.jobs import JobError

    if reading.map is None:
        return None
    try:
        return maps.read(reading.workspace, reading.case.case, reading.map)
    except (VolumeError, JobError):
        return None  # who shows the map reads it again and says why it cannot


def _problemsOf(case: Case, model: str) -> tuple[str, ...]:
    return tuple(p.message for p in case.problems if p.model in ("", model))


def _unpackedBytes(path: Path) -> int:
    from BraTSRefineLib.cohort.nifti_header import read_nifti_header

    try:
        header = read_nifti_header(path)
        return header.file_bytes if header else UNKNOWN_PACKING * path.stat().st_size
    except OSError:
        return 0

"""What is open and what is looked at: a cohort, its scores, a model, a region, a case, a flag. No Qt, no MRML.

The panels ask; everything that takes a table or a file to answer is answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import maps, measures, overview, runs, suspicions, tables
from .casedata import CaseData, UncertaintyMap
from .correcting import Versions
from .maps import MapFile
from .reading import CaseRead, Reading, readCase, withLabels
from .scoredhow import ScoredHow
from .suspicions import Suspicion
from .tables import CaseRow, FlagRow

if TYPE_CHECKING:
    import pandas as pd

    from BraTSRefineLib.cohort.case import Cohort
    from BraTSRefineLib.cohort.workspace import Workspace


class Session:
    """One opened cohort in one workspace.

    ``readAhead`` gives what was read of a case already, or None where the files have to be read now.

    >>> session = Session()
    >>> session.open("data/brats2020", "data/brats2020-refine")
    >>> session.rows()[0].case
    """

    def __init__(self, readAhead: Callable[[Reading], CaseRead | None] = lambda reading: None) -> None:
        self.readAhead = readAhead
        self.workspace: Workspace | None = None
        self.cohort: Cohort | None = None
        self.scores: pd.DataFrame | None = None
        self.scoresProblem = ""
        self._how: dict[str, ScoredHow] = {}
        self.model = ""
        self.region = "ET"
        self.metric = measures.DICE
        self.case = ""
        self.quantity, self.prefersOwnMaps = "", True
        self.flagIndex = -1
        self.data = CaseData("")
        self.versions = Versions()
        self.isCorrecting = False
        self.caseWords = self.flagWords = ""
        self._caseFlags: tuple[tuple, list[FlagRow]] = ((), [])
        self._regionFlags: tuple[tuple, list[FlagRow]] = ((), [])
        self._flagPlaces: Mapping[str, Sequence[int]] | None = None
        self._found: Cohort | None = None
        self._verdicts: dict[str, tuple[str, str]] = {}
        self._imageProblems: tuple[str, ...] = ()
        self._hasImages = False
        self._mapAhead: tuple[Reading, UncertaintyMap] | None = None
        self._flags: pd.DataFrame | None = None
        self._rows: list[CaseRow] | None = None
        self._suspicions: list[Suspicion] = []

    def open(self, folder: str | Path, workspace: str | Path = "", labels: str = "auto", again: bool = False) -> None:
        """Open a data folder; what a workspace already knows of it is used unless labels are stated or ``again``.

        Raises CohortError and WorkspaceError; what was open before stays open then.
        """
        from BraTSRefineLib.cohort.opening import keep, look

        cohort, opened = look(folder, workspace, labels, again)
        keep(cohort, opened)
        self._begin(cohort, opened)

    def kept(self, workspace: str | Path) -> Session:
        """Another session on what a workspace keeps of its data folder, which this one may ``become``.

        Raises CohortError.
        """
        from BraTSRefineLib.cohort import Workspace, load_cohort

        opened, other = Workspace(Path(workspace)), Session(self.readAhead)
        other._begin(load_cohort(opened), opened)
        return other

    def become(self, other: Session) -> None:
        """Everything that the other one has open, and nothing of what was open here."""
        vars(self).update(vars(other))

    def _begin(self, cohort: Cohort, workspace: Workspace) -> None:
        self.__init__(self.readAhead)
        self.workspace = workspace
        self.versions.open(workspace.root)
        self._take(cohort)

    def reload(self) -> None:
        """Read again what jobs may have written: scores, flags, further models."""
        from BraTSRefineLib.cohort import load_cohort

        self._take(load_cohort(self.workspace))
        self.flagIndex = -1

    def setModel(self, model: str) -> None:
        self.model, self._rows = model, None
        self._keepMetric()

    def setRegion(self, region: str) -> None:
        self.region, self._rows, self.flagIndex = region, None, -1

    def preferScoredRegion(self) -> None:
        """ET where anything of it was scored, else WT."""
        for region in ("ET", "WT"):
            self.setRegion(region)
            if any(row.values for row in self.rows()):
                return

    def setMetric(self, metric: str) -> None:
        self.metric, self._rows = metric, None

    @property
    def isOpen(self) -> bool:
        return self.cohort is not None

    @property
    def hasScores(self) -> bool:
        return self.scores is not None and not self.scores.empty

    @property
    def models(self) -> list[str]:
        return self.cohort.models if self.cohort else []

    @property
    def caseNames(self) -> list[str]:
        return [case.case for case in self.cohort.cases] if self.cohort else []

    @property
    def versus(self) -> str:
        """What the shown case is compared with: the reference, the consensus of the others, or nothing."""
        if self.data.reference is None:
            return ""
        return "consensus of the others" if self.data.consensus else "reference"

    def rows(self) -> list[CaseRow]:
        """One row a case for the chosen model and region, the worst by the metric first, what has no score last."""
        if self._rows is None:
            chosen = self.model, self.region, self.metric
            self._rows = tables.caseRows(self.cohort, self.scores, *chosen) if self.cohort else []
        return self._rows

    @property
    def how(self) -> ScoredHow:
        """How the numbers of the chosen model were made."""
        if not self.hasScores:
            return ScoredHow()
        from BraTSRefineLib.scoring.table import VERSION

        if self.model not in self._how:
            labels = {case.case: case.convention_of(self.model) for case in self.cohort.cases}
            named = {case: found.name for case, found in labels.items() if found}
            self._how[self.model] = ScoredHow(VERSION, named)
        return self._how[self.model]

    def metrics(self) -> list[str]:
        """The metrics by which the chosen model's cases can be ranked; a fused one has no lesion-wise numbers."""
        return measures.offered(None if self.scores is None else self.scores[self.scores["model"] == self.model])

    def worstCase(self) -> str:
        rows = self.rows()
        return rows[0].case if rows else ""

    def neighbour(self, shown: list[str], step: int, since: str = "") -> str:
        """The case ``step`` rows further in the list than the shown one (or ``since``); the ends meet."""
        since = since or self.case
        if not shown:
            return ""
        if since not in shown:
            return shown[0]
        return shown[(shown.index(since) + step) % len(shown)]

    def reading(self, name: str, model: str = "") -> Reading:
        """What is to be read of a case for that (else the chosen) model, the region and the quantity.

        Raises CohortError.
        """
        case, voters, model = self.cohort[name], (), model or self.model
        if case.reference is None:  # of the data's own models: what was made here is no independent witness
            voters = tuple(other for other in self._found[name].usable_models() if other != model)
        chosen = maps.best(self._mapsOf(name, model), self.quantity, self.prefersOwnMaps)
        version = self.versions.shown(name, model)
        shown = version.path if version else None
        return Reading(case, model, voters, chosen, self.workspace, shown, hasImages=name != self.data.case)

    def loadCase(self, name: str) -> CaseData:
        """Read the case's files for the chosen model; while the case stays its images are not read again.

        Raises CohortError.
        """
        reading = self.reading(name)
        ahead, shown = self.readAhead(reading), (self.data, self._imageProblems)
        if reading.hasImages:
            read = ahead or readCase(reading)
        else:
            read = ahead.over(*shown) if ahead else withLabels(reading, *shown)
        self._mapAhead = (reading, read.uncertainty) if read.uncertainty else None
        self._imageProblems = read.imageProblems
        if name != self.case:
            self.case, self.flagIndex = name, -1
        if read.data.images is not None:
            self._hasImages = bool(read.data.images)
        self.data = read.data.withoutImages()
        self._verdicts = dict(read.verdicts)
        return read.data

    @property
    def predictionWords(self) -> str:
        """What the shown labels are: the prediction, or who corrected it and when."""
        return self.versions.words(self.case, self.model) or "prediction"

    def unreadable(self) -> str:
        """Why the shown case cannot be reviewed: its prediction, or each of its images, cannot be read; else empty."""
        if not self.case:
            return ""
        case = self.cohort[self.case]
        isBlank = bool(case.images) and not self._hasImages
        isUnpredicted = self.model in case.predictions and self.data.prediction is None
        return "; ".join(self.data.problems) or "nothing of it could be read" if isBlank or isUnpredicted else ""

    def forgetCase(self) -> None:
        """Nothing is shown any more."""
        self.case, self.data, self._verdicts, self.flagIndex = "", CaseData(""), {}, -1

    def verdict(self) -> tuple[str, str]:
        """What is wrong with the shown prediction of the region, and what it calls for."""
        if self.region not in self._verdicts:
            self._verdicts[self.region] = tables.verdict(self.data, self.region)
        return self._verdicts[self.region]

    def maps(self) -> list[MapFile]:
        """The maps of the shown case for the chosen region: the chosen model's own first, then those of all models."""
        if not self.workspace or not self.case:
            return []
        return self._mapsOf(self.case, self.model)

    def _mapsOf(self, name: str, model: str) -> list[MapFile]:
        return maps.found(self.workspace, name, self.region, model)

    def chooseMap(self, chosen: MapFile) -> None:
        """Show this quantity from now on, and rather from this kind of source."""
        self.quantity, self.prefersOwnMaps = chosen.quantity, bool(chosen.model)

    def loadUncertainty(self) -> UncertaintyMap | None:
        """The map of the chosen quantity, else of the best there is; None where there is none. Raises VolumeError."""
        chosen = maps.best(self.maps(), self.quantity, self.prefersOwnMaps)
        ahead, self._mapAhead = self._mapAhead, None
        if ahead and chosen and (ahead[0].case.case, ahead[0].map) == (self.case, chosen):
            return ahead[1]
        return maps.read(self.workspace, self.case, chosen) if chosen else None

    def flags(self) -> list[FlagRow]:
        """The flagged regions of the shown case in the chosen region: the shown model's own first, each by rank."""
        asked = (self.case, self.region, self.model)
        if self._regionFlags[0] != asked:
            self._regionFlags = asked, tables.flagRows(self._flagsHere(), *asked)
        return self._regionFlags[1]

    def caseFlags(self) -> list[FlagRow]:
        """The flagged regions of the shown case in all regions, the weightiest first."""
        asked = (self.case, self.model)
        if self._caseFlags[0] != asked:
            self._caseFlags = asked, tables.caseFlags(self._flagsHere(), *asked)
        return self._caseFlags[1]

    def _flagsHere(self) -> pd.DataFrame | None:
        """The table of flags of the shown case; it is divided by case once, as it may be long."""
        if self._flags is None:
            return None
        if self._flagPlaces is None:
            self._flagPlaces = self._flags.groupby("case", sort=False).indices
        return self._flags.iloc[self._flagPlaces.get(self.case, [])]

    def flagsOfModel(self) -> pd.DataFrame | None:
        """The table of flags across the models and of the chosen model's own maps; None where there is none."""
        return tables.flagsOfModel(self._flags, self.model)

    def currentFlag(self) -> FlagRow | None:
        """The flag that is looked at."""
        flags = self.flags()
        return flags[self.flagIndex] if 0 <= self.flagIndex < len(flags) else None

    def stepFlag(self, step: int) -> FlagRow | None:
        """Go to the next (or previous) flag of the case; None where there is none."""
        flags = self.flags()
        if not flags:
            return None
        start = self.flagIndex if self.flagIndex >= 0 or step > 0 else 0
        self.flagIndex = (start + step) % len(flags)
        return flags[self.flagIndex]

    def problems(self) -> list[overview.ProblemRow]:
        """What was found wrong with the cohort: errors, then what makes numbers doubtful, then notes."""
        short = overview.shortNames(self.caseNames)
        rows = [*overview.problemRows(self._found), *suspicions.suspicionRows(self._suspicions, short)]
        return sorted(rows, key=lambda row: (not row.isError, not row.isSuspicion))

    def suspicions(self) -> list[Suspicion]:
        """What looks wrong with the data of the shown case and model."""
        return suspicions.ofCase(self._suspicions, self.case, self.model)

    @property
    def hasReferences(self) -> bool:
        return bool(self.cohort) and any(case.reference is not None for case in self.cohort.cases)

    def summary(self) -> list[tuple[str, str]]:
        """What was found, as pairs of a name and words."""
        return overview.summary(self._found)

    def headline(self) -> str:
        """The cohort in one line."""
        return overview.headline(self._found)

    def hasProbabilities(self) -> bool:
        """Whether some case has probability maps of at least two models."""
        return bool(self.cohort) and any(len(case.probabilities) > 1 for case in self.cohort.cases)

    @property
    def hasUncertainties(self) -> bool:
        return bool(self.workspace) and self.workspace.uncertainty_csv.is_file()

    def comparedRuns(self) -> list[runs.ComparedRun]:
        """The finished runs that have a before and after, the newest first."""
        return runs.comparedRuns(self.workspace) if self.workspace else []

    @property
    def madeModels(self) -> list[str]:
        """The models that were made here; the others came with the data."""
        return [model for model in self.models if model not in self._found.models]

    def beforeAfter(self, run: str) -> list[runs.Change]:
        """Dice of the chosen region before and after a run, case by case, the largest loss first."""
        return runs.changes(self.workspace.run(run) / "outputs" / "before_after.csv", self.region)

    def _take(self, cohort: Cohort) -> None:
        from BraTSRefineLib.jobs import with_runs

        self._found = cohort
        self.cohort = with_runs(cohort, self.workspace)
        self._takeScores()
        self._flags = tables.readFlags(self.workspace)
        self._caseFlags = self._regionFlags = (), []
        self._flagPlaces = None
        self._rows, self._how = None, {}
        if self.model not in self.models:
            self.model = self._mostComplete()
        self._keepMetric()

    def _keepMetric(self) -> None:
        """Rank by Dice where the chosen metric was not taken of the chosen model."""
        if self.metric not in self.metrics():
            self.metric = measures.DICE

    def _takeScores(self) -> None:
        """Scores that cannot be used, as those of an older version, are said and count as none."""
        from BraTSRefineLib.scoring import ScoringError

        self.scores, self.scoresProblem = None, ""
        try:
            self.scores = runs.scoresWithRuns(self.workspace)
        except ScoringError as error:
            self.scoresProblem = str(error)
        self._suspicions = suspicions.readSuspicions(self.workspace)

    def scoringParameters(self) -> dict[str, str]:
        """What a scoring job is told so that it goes by the convention of the scores that are there."""
        from BraTSRefineLib.scoring import CONSENSUS, CONVENTIONS

        named = [] if self.scores is None else self.scores["convention"].str.removesuffix(CONSENSUS).unique()
        return next(({"convention": name} for name in named if name in CONVENTIONS), {})

    def _mostComplete(self) -> str:
        """The first of the models that predicted most cases."""
        return max(self.models, key=lambda model: sum(model in c.predictions for c in self.cohort.cases), default="")

"""What to predict, with which trained models, on which cases: found on disk, checked and described. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.workspace import Workspace
    from BraTSRefineLib.inference.models import FoundModel
    from BraTSRefineLib.jobs.prediction_work import PredictSettings

    from .session import Session

WORST = 20


@dataclass(frozen=True)
class Trained:
    """A trained model on disk. ``problem`` says why it cannot be used, else empty."""

    path: str
    words: str
    tip: str
    folds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    problem: str = ""
    checkpoint: str = "final"


@dataclass(frozen=True)
class CaseChoice:
    """Some cases of the cohort, in words and by name."""

    words: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Everything that was chosen. ``folds`` as typed; ``name`` is empty where none was typed."""

    models: tuple[Trained, ...]
    cases: tuple[str, ...]
    folds: str = ""
    tta: str = "none"
    mode: str = "exact"
    name: str = ""
    device: str = "auto"
    scheduler: str = ""
    adapt: str = ""

    @property
    def foldNames(self) -> list[str] | None:
        """The folds by name; None for all that are there."""
        return re.split(r"[\s,;]+", self.folds.strip(" ,;")) if self.folds.strip(" ,;") else None

    @property
    def modelName(self) -> str:
        """The new model's name: the typed one, else the one that the job will make. Models must be chosen."""
        return self.name or _defaultName(self._settings())

    def parameters(self, session: Session, isEstimate: bool) -> dict[str, object]:
        """The job's; compared is with the shown model where it came with the data, else with all of those."""
        compared = session.model if session.model not in session.madeModels else ""
        return {
            "paths": [model.path for model in self.models],
            "folds": self.foldNames,
            "checkpoint": self._checkpoint,
            "tta": self.tta,
            "mode": self.mode,
            "name": self.name,
            "cases": list(self.cases),
            "device": self.device,
            "scheduler": self.scheduler or None,
            "adapt": self.adapt,
            "before": compared or None,
            "dry_run": isEstimate,
        }

    def problem(self, session: Session) -> str:
        """Why this cannot be predicted and what to do, else empty."""
        if not self.models:
            return _("Tick a trained model")
        if not self.cases:
            return _("No case is chosen")
        return self.problemOfFolds() or self._nameProblem(session)

    def problemOfFolds(self) -> str:
        """Why a chosen model cannot be used with these folds, else empty."""
        for model in self.models:
            missing = [fold for fold in self.foldNames or () if fold not in model.folds]
            if missing and model.folds:
                words = _("{model} has no fold {fold}; it has {folds}")
                return words.format(model=model.words, fold=missing[0], folds=", ".join(model.folds))
            if missing:
                return _("{model} has no folds; leave the line empty").format(model=model.words)
        return ""

    def _nameProblem(self, session: Session) -> str:
        from BraTSRefineLib.jobs.description import NAME
        from BraTSRefineLib.jobs.predicted import Predicted

        name = self.modelName
        if not re.fullmatch(NAME, name):
            return _("A name has letters, digits and - _ . + = only")
        if name in session.caseNames or (name in session.models and name not in session.madeModels):
            return _("{name} is in the cohort already; type another name").format(name=name)
        known = Predicted(session.workspace, name).about()
        if known and any(known.get(key) != value for key, value in self._settings().about().items()):
            return _("{name} was predicted with other settings; type another name").format(name=name)
        return ""

    def done(self, workspace: Workspace) -> int:
        """How many of the cases are there already under this name: they are not predicted again."""
        from BraTSRefineLib.jobs.predicted import Predicted

        made = Predicted(workspace, self.modelName)
        there = {path.name for path in made.folder.glob("*.json")}
        return sum(made.record(case).name in there for case in self.cases)

    def lossInWords(self, session: Session) -> str:
        """What the fast mode loses on the cohort, as far as that was measured; empty in the exact mode."""
        from BraTSRefineLib.jobs.actions.fast_check import FEWEST_CASES, known_loss

        if self.mode == "exact" or not self.models or self.problemOfFolds():
            return ""
        loss = known_loss(session.workspace, self._settings())
        if loss is not None:
            return _lossInWords(loss)
        if len(self.cases) < FEWEST_CASES:
            return _("What it loses is not measured yet; that takes {count} cases.").format(count=FEWEST_CASES)
        return _("What it loses is not measured yet; the first case, which is predicted exactly too, measures it.")

    def lacking(self, session: Session) -> dict[str, list[str]]:
        """The images that a chosen model needs, by the cases that lack them; those will be skipped."""
        needed = {channel for model in self.models for channel in model.channels}
        missing = {case.case: sorted(needed - set(case.images)) for case in session.cohort.cases}
        return {case: missing[case] for case in self.cases if missing[case]}

    def _settings(self) -> PredictSettings:
        from BraTSRefineLib.jobs.prediction_work import PredictSettings

        paths = tuple(str(Path(model.path).expanduser().resolve()) for model in self.models)
        folds = self.foldNames
        chosen = None if folds is None else tuple(folds)
        return PredictSettings(paths, chosen, self._checkpoint, self.tta, self.mode, adapt=self.adapt)

    @property
    def _checkpoint(self) -> str:
        """The best one where a training has left no final one."""
        return next((model.checkpoint for model in self.models if model.checkpoint != "final"), "final")


def _lossInWords(loss: Mapping[str, object]) -> str:
    words = _("{region} Dice {dice:.3f}, HD95 {hd95_mm:.1f} mm")
    regions = [words.format(region=region, **values) for region, values in loss["against_exact"].items()]
    measured = _("Measured: {mode}; against exact {regions}.")
    return measured.format(mode=loss["mode_measured"], regions="; ".join(regions))


@lru_cache(maxsize=64)
def _defaultName(settings: PredictSettings) -> str:
    from BraTSRefineLib.jobs.actions.predict import default_name

    return default_name(settings)


def trainedAt(path: str) -> list[Trained]:
    """The trained models at a path. Raises InferenceError where there is none."""
    from BraTSRefineLib.inference.models import found_models

    at = Path(path).expanduser()
    models = found_models(at)
    return [_trained(model, at if len(models) == 1 else model.path) for model in models]


def _trained(model: FoundModel, path: Path) -> Trained:
    """A single model keeps the path that was given: it may name one fold or one file of weights."""
    configuration = model.configuration or model.name
    dataset = model.name.partition("/")[0] if "/" in model.name else ""
    folds = _("folds {names}").format(names=_inShort(model.folds)) if len(model.folds) > 1 else ""
    words = " · ".join(part for part in (configuration, model.kind, folds, dataset) if part)
    told = {_("Channels"): ", ".join(model.channels), _("Regions"): ", ".join(model.regions)}
    tip = [model.problem, model.name, str(path), *(f"{name}: {value}" for name, value in told.items() if value)]
    checkpoint = "best" if getattr(model.source, "checkpoint", "") == "checkpoint_best.pth" else "final"
    return Trained(
        *(str(path), words, "\n".join(line for line in tip if line)),
        *(model.folds, model.channels, model.problem, checkpoint),
    )


def _inShort(folds: Sequence[str]) -> str:
    """``0-4`` where none is left out between."""
    numbers = [int(fold) for fold in folds if fold.isdigit()]
    isWhole = len(numbers) == len(folds) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1))
    return f"{folds[0]}-{folds[-1]}" if isWhole else ", ".join(folds)


def caseChoices(session: Session, shown: Sequence[str], picked: Sequence[str] = ()) -> list[CaseChoice]:
    """This case, the picked ones, the worst of the shown list, that list, each centre, all.

    ``shown``: the list as it is filtered; ``picked``: several that somebody chose in it.
    """
    if not session.isOpen:
        return []
    everything = tuple(session.caseNames)
    inList = set(shown)
    ranked = tuple(row.case for row in session.rows() if row.case in inList)
    choices = [CaseChoice(_("this case"), (session.case,))] if session.case else []
    if picked:
        choices.append(CaseChoice(_("the chosen rows ({count})").format(count=len(picked)), tuple(picked)))
    if len(ranked) > WORST:
        choices.append(CaseChoice(_("the worst {count} of the list").format(count=WORST), ranked[:WORST]))
    if 0 < len(ranked) < len(everything):
        choices.append(CaseChoice(_("the list of worst cases ({count})").format(count=len(ranked)), ranked))
    return [*choices, *_centers(session), CaseChoice(_("all ({count})").format(count=len(everything)), everything)]


def _centers(session: Session) -> list[CaseChoice]:
    names = sorted({case.center for case in session.cohort.cases if case.center})
    found = {name: tuple(case.case for case in session.cohort.cases if case.center == name) for name in names}
    words = _("centre {name} ({count})")
    return [CaseChoice(words.format(name=name, count=len(cases)), cases) for name, cases in found.items()]

"""From trained models and a case's images to its labels and the maps of their uncertainty.

>>> with PredictSession(models, tta="flips") as session:
...     for prediction in session.predict_cases(readers):
...         print(prediction.case, prediction.variance.max())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import torch

from ..allocator import give_freed_memory_back, keep_freed_memory
from .adaptation_settings import AdaptationReport, AdaptationSettings
from .augmentation import Augmentation, augmentations
from .case_pass import CasePass, Mode
from .cost import Cost, cost_of
from .device import chosen_device, fastest_convolutions
from .engine import Engine, Pace, Precision
from .groups import Group, common_regions, grouped
from .model import CaseImages, InferenceError, Model, Prepared
from .moments import MeanAlone, MemberMoments
from .prediction import CasePrediction
from .progress import OnPass, Passes
from .tiles import Box

CaseReader = Callable[[], CaseImages]


@dataclass
class ReadCase:
    """A case's images, by group what was prepared of them so far, and by model how it was adapted to them."""

    images: CaseImages
    prepared: dict[str, Prepared] = field(default_factory=dict)
    adaptations: dict[str, AdaptationReport] = field(default_factory=dict)


class PredictSession:
    """Predicts one case after the other with the same models, which stay on the device until ``close``.

    ``tta``: none, flips, rotations, full, or augmentations. ``mode``: exact; or fast-window, fast-roi, which change
    the result. ``uncertainty=False``: labels and mean probability alone. ``adapt``: each model is adapted to each case
    for as long as that case takes. ``seed``: of random augmentations.
    ``on_pass``: told ``(done, total, words)`` after each forward pass. ``check``: called before each, raises to stop.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        tta: str | Sequence[Augmentation] = "none",
        mode: Mode = "exact",
        device: str = "auto",
        precision: Precision = "fp32",
        tiles_at_once: int | None = None,
        uncertainty: bool = True,
        adapt: AdaptationSettings | None = None,
        seed: int = 0,
        on_pass: OnPass | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Raises InferenceError for settings or models that do not go together."""
        if mode not in get_args(Mode):
            raise InferenceError(f"unknown mode '{mode}'; use one of {', '.join(get_args(Mode))}")
        self._augmentations = augmentations(tta, seed)
        self.models = tuple(models)
        self.groups = grouped(self.models, self._augmentations)
        self.regions = common_regions(self.models)
        self.device = chosen_device(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        self._adapt = adapt
        self._mode, self._keep = mode, MemberMoments if uncertainty else MeanAlone
        self._engine = Engine(self.device, precision, tiles_at_once, Pace(check))
        self._on_pass = on_pass

    def __enter__(self) -> PredictSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory of all weights back."""
        for model in _with_previous(self.models):
            model.release()

    def predict(self, case: CaseImages | ReadCase) -> CasePrediction:
        """Raises InferenceError where the case cannot be predicted, naming case and member."""
        case = ReadCase(case) if isinstance(case, CaseImages) else case
        try:
            with torch.inference_mode(), fastest_convolutions(self.device):
                return self._prediction(case)
        except torch.OutOfMemoryError:
            raise InferenceError(
                f"{case.images.case}: the memory of {self.device} does not suffice for the sums of a whole case; "
                "close other programs that use it, or choose another device"
            ) from None
        finally:
            if self.device.type == "cpu":
                give_freed_memory_back()

    def predict_cases(self, readers: Iterable[CaseReader]) -> Iterator[CasePrediction]:
        """Each case's prediction, the next case being read meanwhile. Raises what a reader or ``predict`` raises."""
        for case in self.read_ahead(readers):
            yield self.predict(case.result())

    def read_ahead(self, readers: Iterable[CaseReader]) -> Iterator[Future[ReadCase]]:
        """Each case, read and prepared in a thread while the one before is at work; errors wait in the future."""
        with ThreadPoolExecutor(1) as thread:
            waiting: Future[ReadCase] | None = None
            for reader in readers:
                following = thread.submit(self._read, reader)
                if waiting is not None:
                    yield waiting
                waiting = following
            if waiting is not None:
                yield waiting

    def cost(self, case: CaseImages | ReadCase, timed: bool = True) -> Cost:
        """What predicting such a case will cost; see ``cost_of``. Raises InferenceError where it cannot be prepared."""
        case = ReadCase(case) if isinstance(case, CaseImages) else case
        groups = [*self._first_stages(), *self.groups]
        nothing = np.zeros(case.images.shape, np.uint8)
        prepared = {
            group.name: case.prepared.get(group.name)
            or group.models[0].prepare(case.images, nothing if group.previous else None)
            for group in groups
        }
        return cost_of(groups, prepared, self._engine, self._mode, timed, self._adapt)

    def _first_stages(self) -> list[Group]:
        """The groups whose label maps the session's own groups take as input."""
        return [first for group in self.groups if group.previous for first in self._first_stage(group)]

    def _first_stage(self, group: Group) -> list[Group]:
        return [first.exact() for first in grouped(group.previous, self._augmentations)]

    def _read(self, reader: CaseReader) -> ReadCase:
        case = ReadCase(reader())
        for group in (*self._first_stages(), *self.groups):
            if not group.previous:
                self._prepare(case, group, None)
        return case

    def _prediction(self, case: ReadCase) -> CasePrediction:
        passes = self._counted()
        run = self._run(case, self.groups, self.regions, passes, self._keep)
        shape = case.images.shape
        label_map = _on_case_grid(run.vote.label_map(), run.box, shape)
        convention = self.groups[0].head.convention
        maps = {name: _on_case_grid(values, run.box, shape) for name, values in run.moments.maps().items()}
        labels = convention.masks(label_map, self.regions)
        own_labels = {model: _on_case_grid(own, run.box, shape) for model, own in run.own_labels.items()}
        return CasePrediction(
            case.images.case,
            self.regions,
            convention,
            labels,
            label_map,
            tuple(run.members),
            **maps,
            structure=run.structure.agreement() if run.structure else None,
            adaptations=case.adaptations or None,
            own_labels=own_labels or None,
        )

    def _counted(self) -> Passes:
        passes = Passes(self._on_pass)
        self._engine.pace.passed = passes.passed
        return passes

    def _run(
        self,
        case: ReadCase,
        groups: Sequence[Group],
        regions: Sequence[str],
        passes: Passes,
        keep: type[MemberMoments] | type[MeanAlone] | None,
    ) -> CasePass:
        prepared = [self._prepare(case, group, self._label_of_previous(case, group, passes)) for group in groups]
        spacing = case.images.geometry.array_spacing
        run = CasePass(
            case.images.case, groups, prepared, regions, spacing, self._engine, passes, self._mode, keep, self._adapt
        )
        run.run()
        case.adaptations.update(run.adaptations)
        return run

    def _label_of_previous(self, case: ReadCase, group: Group, passes: Passes) -> np.ndarray | None:
        """The label map that a cascade's next stage takes as input; None where the group is no such stage."""
        if not group.previous or group.name in case.prepared:
            return None
        run = self._run(case, self._first_stage(group), common_regions(group.previous), passes, None)
        return _on_case_grid(run.vote.label_map(), run.box, case.images.shape)

    def _prepare(self, case: ReadCase, group: Group, previous: np.ndarray | None) -> Prepared:
        if group.name not in case.prepared:
            case.prepared[group.name] = group.models[0].prepare(case.images, previous)
        return case.prepared[group.name]


def predict_case(images: CaseImages, models: Sequence[Model], **settings) -> CasePrediction:
    """One case, with the settings of ``PredictSession``; the models stay loaded. Raises InferenceError."""
    return PredictSession(models, **settings).predict(images)


def predict_cases(readers: Iterable[CaseReader], models: Sequence[Model], **settings) -> Iterator[CasePrediction]:
    """Case after case, with the settings of ``PredictSession``; the models are released at the end."""
    with PredictSession(models, **settings) as session:
        yield from session.predict_cases(readers)


def _with_previous(models: Iterable[Model]) -> Iterator[Model]:
    for model in models:
        yield model
        yield from _with_previous(model.previous)


def _on_case_grid(values: torch.Tensor, box: Box, shape: tuple[int, int, int]) -> np.ndarray:
    """``(..., z, y, x)`` of the box in the case's whole grid, zero around it."""
    values = values.cpu().numpy()
    whole = np.zeros((*values.shape[:-3], *shape), values.dtype)
    whole[(..., *box)] = values
    return whole

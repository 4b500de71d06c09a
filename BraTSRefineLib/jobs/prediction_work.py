"""What the predict job does with one case, in its own process or on a worker of a cluster: images in, files out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..cohort import Case
from ..cohort.volumes import Geometry, write_volume
from ..cohort.workspace import Workspace, write_json
from ..inference import InferenceError
from .predicted import Predicted, signatures

if TYPE_CHECKING:
    from ..inference.model import Model
    from ..inference.predict import PredictSession
    from ..inference.prediction import CasePrediction

MAPS = {
    "mean": "probability",
    "variance": "variance",
    "entropy": "entropy",
    "expected_entropy": "expected_entropy",
    "mutual_information": "mutual_information",
}
"""What is written of each region, by the name in the file, and where a prediction has it."""


def check_packages() -> None:
    """Raises InferenceError where what computes is not installed."""
    missing = [name for name in ("torch", "monai", "nnunetv2") if find_spec(name) is None]
    if missing:
        raise InferenceError(f"a prediction needs {', '.join(missing)}: pip install 'bratsrefine[refine]'")


@dataclass(frozen=True)
class PredictSettings:
    """All that decides what is predicted; ``paths`` are those of the trained models, on a file system of all workers.

    ``precision`` "auto" is fp16 on a GPU, with sums in fp32, and fp32 on a CPU.
    """

    paths: tuple[str, ...]
    folds: tuple[str, ...] | None = None
    checkpoint: str = "final"
    tta: str = "none"
    mode: str = "exact"
    device: str = "auto"
    precision: str = "auto"
    seed: int = 0
    uncertainty: bool = True
    adapt: str = ""

    def about(self) -> dict[str, Any]:
        """In JSON's own types, without what leaves the result the same up to rounding."""
        return {name: value for name, value in json.loads(json.dumps(asdict(self))).items() if name != "device"}

    def models(self) -> list[Model]:
        """The models of all paths. Raises InferenceError."""
        from ..inference.models import open_models

        return [
            model
            for path in self.paths
            for model in open_models(Path(path), folds=self.folds, checkpoint=self.checkpoint)
        ]

    def session(self, **hooks: Any) -> PredictSession:
        """A session with these settings; ``hooks`` are ``on_pass`` and ``check``. Raises InferenceError."""
        check_packages()
        from ..inference.adaptation_settings import METHODS
        from ..inference.device import chosen_device
        from ..inference.predict import PredictSession

        if self.adapt and self.adapt not in METHODS:
            raise InferenceError(f"unknown adaptation '{self.adapt}'; use one of {', '.join(METHODS)}, or none")
        on_gpu = chosen_device(self.device).type == "cuda"
        precision = ("fp16" if on_gpu else "fp32") if self.precision == "auto" else self.precision
        return PredictSession(
            self.models(),
            tta=self.tta,
            mode=self.mode,
            device=self.device,
            precision=precision,
            uncertainty=self.uncertainty,
            adapt=METHODS[self.adapt] if self.adapt else None,
            seed=self.seed,
            **hooks,
        )


@dataclass(frozen=True)
class Assignment:
    """One case for a worker: where its files go until they are published, and the model's name."""

    case: Case
    name: str
    into: Path


def predicted_on_worker(assignment: Assignment, settings: PredictSettings) -> dict[str, Any]:
    """The record of one case, whose files are written below ``into``; the models stay loaded for the next.

    Raises InferenceError, VolumeError or WorkspaceError.
    """
    from ..inference.case_images import read_case_images

    with _resident(settings) as session:
        started = perf_counter()
        images = read_case_images(assignment.case)
        prediction = session.predict(images)
        return write_prediction(assignment, prediction, images.geometry, perf_counter() - started)


_lock = threading.Lock()
_sessions: dict[PredictSettings, PredictSession] = {}


@contextmanager
def _resident(settings: PredictSettings) -> Iterator[PredictSession]:
    """The process's session with these settings, for one case at a time however many threads the worker has."""
    with _lock:
        if settings not in _sessions:
            for other in _sessions.values():
                other.close()
            _sessions.clear()
            _sessions[settings] = settings.session()
        yield _sessions[settings]


def write_prediction(
    assignment: Assignment, prediction: CasePrediction, geometry: Geometry, seconds: float
) -> dict[str, Any]:
    """Maps, label map and, last, the record that says that the case is done. Returns the record."""
    case, made = assignment.case, Predicted(Workspace(assignment.into), assignment.name)
    write = partial(write_volume, geometry=geometry)
    for quantity, attribute in MAPS.items():
        stack = getattr(prediction, attribute)
        for level, region in enumerate(prediction.regions if stack is not None else ()):
            path = made.workspace.model_map_path(assignment.name, case.case, region, quantity)
            write(path, stack[level], description=f"{quantity} of {len(prediction.members)} members, {region}")
    write(made.label_map(case.case), prediction.label_map, description=f"BraTSRefine {assignment.name}")
    own_labels = prediction.own_labels or {}
    for model, label_map in own_labels.items():
        path = made.workspace.member_path(assignment.name, case.case, model)
        write(path, label_map, description=f"BraTSRefine {assignment.name}, one of its models alone")
    record = {
        "case": case.case,
        "images": signatures(case.images),
        "labels": prediction.convention.name,
        "regions": list(prediction.regions),
        "members": list(prediction.members),
        "models": list(own_labels),
        "seconds": round(seconds, 3),
    }
    if prediction.adaptations:
        record["adapted"] = {model: asdict(report) for model, report in prediction.adaptations.items()}
    write_json(made.record(case.case), record)
    return record

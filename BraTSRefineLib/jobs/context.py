"""What an action of a job gets to work with: what to do, where to write, whom to tell."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TextIO

from ..cohort import Case, Cohort, load_cohort
from ..cohort.workspace import Workspace
from .description import Job
from .fused import with_runs
from .record import STAGED


@dataclass(frozen=True)
class Context:
    """``outputs`` becomes the run's own folder and ``staged`` a part of the workspace once the job has finished.

    Until then nothing that an action writes is seen by anybody, and if it never finishes, nothing is left of it.
    ``workspace`` is for reading.
    """

    job: Job
    outputs: Path
    events: TextIO

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.job.workspace)

    @property
    def staged(self) -> Workspace:
        return Workspace(self.outputs / STAGED)

    def cohort(self) -> Cohort:
        """The workspace's cohort; with the models that were made here where the job names one of them.

        To be scored all of them are there, in the cases that have a reference: they are no witnesses of each other.
        """
        cohort = load_cohort(self.workspace)
        if self.job.kind == "score":
            return with_runs(cohort, self.workspace, referenced=True)
        parameters = self.job.parameters
        asked = {parameters.get("model"), *(parameters.get("models") or [])} - {None}
        return cohort if asked <= set(cohort.models) else with_runs(cohort, self.workspace)

    def cases(self, cohort: Cohort, models: Iterable[str]) -> Iterator[Case]:
        """The cases that the job is about, one after the other; a progress event follows each.

        Those that it names, else those of which one of the ``models`` has, or should have had, a prediction.
        """
        named, models = self.job.parameters.get("cases"), list(models)
        if named is not None:
            return self._with_progress(case for case in cohort.cases if case.case in named)
        return self._with_progress(
            case for case in cohort.cases if any(m in case.predictions or case.error_of(m) for m in models)
        )

    def convention(self) -> str:
        """The scoring convention that the job names, else that of the workspace's scores, else BraTS 2023.

        So a new model is compared with the old ones by the same rules. Raises ScoringError for a damaged workspace.
        """
        from ..scoring.table import scored_convention

        return self.job.parameters["convention"] or scored_convention(self.workspace) or "brats2023"

    def tell(self, event: str, **details: object) -> None:
        """One event to the supervisor; numbers that JSON does not know become null."""
        self.events.write(json.dumps({"event": event, **_plain(details)}, ensure_ascii=False, allow_nan=False) + "\n")
        self.events.flush()

    def progress(self, step: int, of: int, case: str) -> None:
        self.tell("progress", step=step, of=of, case=case)

    def problem(self, case: str, message: str) -> None:
        """One case could not be done, or not as asked; the others go on. Files are named from the cohort's root."""
        self.tell("problem", case=case, message=self._local(message))

    def _local(self, message: str) -> str:
        if "/" not in message.replace("\\", "/"):
            return message
        return self._kept_cohort.local(message).replace(f"{self.workspace.root}{os.sep}", "")

    @cached_property
    def _kept_cohort(self) -> Cohort:
        return load_cohort(self.workspace)

    def _with_progress(self, cases: Iterable[Case]) -> Iterator[Case]:
        cases = list(cases)
        for step, case in enumerate(cases, start=1):
            yield case
            self.progress(step, len(cases), case.case)


def _plain(value: object) -> object:
    """``value`` in JSON's own types: numpy numbers as numbers, NaN and infinity as None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""The workspace: the folder beside the data into which everything that we make is written."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class WorkspaceError(RuntimeError):
    """The workspace cannot be used; the message says which folder and what to do."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name beside ``path`` and rename it to ``path`` when the block ends well.

    An error (a full disk, a crash) leaves the old file as it was and no partial one.
    Raises WorkspaceError where the folder cannot be written.
    """
    path = Path(path)
    suffix = "".join(path.suffixes[-2:]) if path.name.endswith(".nii.gz") else path.suffix
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".partial-", suffix=suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise WorkspaceError(_advice(path, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise WorkspaceError(_advice(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """A file for people and programs; it appears whole or not at all. Raises WorkspaceError."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def _advice(path: Path, error: OSError) -> str:
    return f"{path}: not written ({error.strerror or error}); free disk space or choose another --workspace"


def safe_name(text: str) -> str:
    """``text`` as one file name: no separator, no leading dot, nothing that leaves the folder."""
    return re.sub(r"[^\w.+=-]+", "_", text, flags=re.UNICODE).lstrip(".") or "_"


@dataclass(frozen=True)
class Workspace:
    """Where things lie in a workspace folder. Nothing here is created before it is written."""

    root: Path

    @classmethod
    def open(cls, root: Path | str, cohort_root: Path | str | None = None) -> Workspace:
        """The workspace at ``root``, created and proven writable.

        Raises WorkspaceError where it lies inside the data, is a file, or cannot be written.
        """
        root = Path(root).expanduser().resolve()
        if cohort_root is not None and root == Path(cohort_root).expanduser().resolve():
            raise WorkspaceError(f"{root}: the workspace may not be the data folder itself; choose a folder beside it")
        workspace = cls(root)
        with written_whole(root / ".writable"):
            pass
        (root / ".writable").unlink(missing_ok=True)
        return workspace

    @staticmethod
    def beside(data: Path | str) -> Path:
        """The default workspace of a data folder or manifest: ``<name>-refine`` beside it."""
        data = Path(data).expanduser().resolve()
        return data.parent / f"{data.stem if data.is_file() else data.name}-refine"

    @property
    def cohort_csv(self) -> Path:
        return self.root / "cohort.csv"

    @property
    def scores_parquet(self) -> Path:
        return self.root / "scores.parquet"

    @property
    def scores_csv(self) -> Path:
        return self.root / "scores.csv"

    @property
    def scores_json(self) -> Path:
        """What the scores are: version, conventions and their definitions."""
        return self.root / "scores.json"

    @property
    def lesions_parquet(self) -> Path:
        return self.root / "lesions.parquet"

    @property
    def lesions_csv(self) -> Path:
        return self.root / "lesions.csv"

    @property
    def scoring_cache(self) -> Path:
        """What was found case by case, so that an unchanged case is not scored again."""
        return self.root / "scoring-cache.sqlite"

    @property
    def findings_csv(self) -> Path:
        return self.root / "findings.csv"

    @property
    def report_html(self) -> Path:
        return self.root / "report.html"

    @property
    def report_md(self) -> Path:
        return self.root / "report.md"

    @property
    def report_tables(self) -> Path:
        """The folder of the report's tables, a CSV each."""
        return self.root / "report"

    @property
    def flags_csv(self) -> Path:
        return self.root / "flags.csv"

    @property
    def uncertainty_csv(self) -> Path:
        """How unsure the models are of each case, by region and quantity."""
        return self.root / "uncertainty.csv"

    @property
    def evaluation(self) -> Path:
        """The folder of what the uncertainty was found to be worth."""
        return self.root / "evaluation"

    @property
    def quality_csv(self) -> Path:
        """The predicted Dice of each case and region, a table of the evaluation."""
        return self.evaluation / "quality.csv"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def maps(self) -> Path:
        return self.root / "maps"

    def map_path(self, case: str, quantity: str, region: str) -> Path:
        """The file of one map, for example ``maps/<case>/variance_WT.nii.gz``."""
        return self.maps / safe_name(case) / f"{safe_name(quantity)}_{region}.nii.gz"

    @property
    def predictions(self) -> Path:
        """A folder a model that was predicted here."""
        return self.root / "predictions"

    def prediction_path(self, model: str, case: str) -> Path:
        """The label map of a model that was predicted here: ``predictions/<model>/<case>.nii.gz``."""
        return self.predictions / safe_name(model) / f"{safe_name(case)}.nii.gz"

    def member_path(self, model: str, case: str, member: str) -> Path:
        """The label map of one member of such a model: ``members/<model>/<case>/<member>.nii.gz``."""
        return self.root / "members" / safe_name(model) / safe_name(case) / f"{safe_name(member)}.nii.gz"

    def model_map_path(self, model: str, case: str, region: str, quantity: str) -> Path:
        """One map of such a model: ``maps/<model>/<case>-<region>-<quantity>.nii.gz``."""
        return self.maps / safe_name(model) / f"{safe_name(case)}-{region}-{quantity}.nii.gz"

    def run(self, job: str) -> Path:
        return self.runs / safe_name(job)

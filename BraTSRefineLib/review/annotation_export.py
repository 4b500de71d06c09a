"""Annotations saved in the layout that training reads; a file that is there is never touched."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..cohort import (
    Cohort,
    CohortError,
    Geometry,
    VolumeError,
    WorkspaceError,
    case_geometry,
    write_volume,
)
from ..cohort.new_files import refuse_existing, written_new
from ..cohort.relabelling import relabelled
from ..cohort.volumes import read_label_volume
from ..regions import LabelError
from .annotation_result import Annotation, annotation_of
from .flag_types import ReviewError
from .store_state import CaseState
from .training_layout import ENDING, Layout, layout_of

WRITTEN, SAME, REFUSED = "written", "there already, the same", "refused"
IMAGES = ("none", "links", "copies")


@dataclass(frozen=True)
class Saved:
    """What became of a case: ``status``, where its labels are from (``source``), and ``why`` it was refused."""

    case: str
    status: str
    file: str = ""
    source: str = ""
    why: str = ""


@dataclass(frozen=True)
class Export:
    """``notes`` are what has to be said of the folder as a whole."""

    saved: tuple[Saved, ...]
    notes: tuple[str, ...] = ()

    def count(self, status: str) -> int:
        return sum(saved.status == status for saved in self.saved)


def export_annotations(
    cohort: Cohort,
    names: Iterable[str],
    states: Mapping[str, CaseState],
    workspace: Path,
    folder: Path,
    layout: str = "nnunet",
    images: str = "none",
) -> Export:
    """Save the annotation of each named case below ``folder``, in the layout 'nnunet' or 'brats'.

    ``images``: 'none', 'links' or 'copies' of the case's images beside it. A case that cannot be saved, or whose file
    is there with other content, is refused with the reason and the others go on. Raises ReviewError for an unknown
    layout or a folder whose ``dataset.json`` cannot be used, WorkspaceError where it cannot be written.
    """
    if images not in IMAGES:
        raise ReviewError(f"no images '{images}'; it is one of {', '.join(IMAGES)}")
    target = layout_of(layout, Path(folder).expanduser().resolve(), cohort)
    taken: dict[Path, str] = {}
    saved = []
    for name in names:
        place = target.label_file(name)
        if place in taken:
            saved.append(Saved(name, REFUSED, why=f"its file would be that of {taken[place]}, {place.name}"))
            continue
        taken[place] = name
        saved.append(_save(cohort, name, states.get(name, CaseState(name)), workspace, target, images))
    note = target.finish() if any(row.status != REFUSED for row in saved) else ""
    return Export(tuple(saved), (note,) if note else ())


def _save(cohort: Cohort, name: str, state: CaseState, workspace: Path, target: Layout, images: str) -> Saved:
    """The labels come last: where they are, the case is complete."""
    result = Saved(name, REFUSED)
    try:
        annotation = annotation_of(cohort[name], state, workspace)
        result = replace(result, source=annotation.source)
        labels, geometry = _labels(annotation, target)
        path = target.label_file(name)
        is_there = _is_there(path, labels, geometry)
        for source, file in (target.image_files(annotation.case) if images != "none" else {}).items():
            _write_image(source, file, images)
        if not is_there:
            with written_new(path) as temporary:
                write_volume(temporary, labels, geometry, "research use only")
    except (CohortError, ReviewError, VolumeError, LabelError, WorkspaceError) as error:
        return replace(result, why=str(error).removeprefix(f"{name}: "))
    return replace(result, status=SAME if is_there else WRITTEN, file=str(path))


def _labels(annotation: Annotation, target: Layout) -> tuple[np.ndarray, Geometry]:
    """In the layout's labels, on the source's grid, which must be the case's."""
    labels, geometry = read_label_volume(annotation.path)
    if difference := geometry.difference(case_geometry(annotation.case)):
        raise ReviewError(f"{annotation.path} lies on another grid than the case ({difference})")
    return relabelled(labels, annotation.labels, target.target(annotation.labels)), geometry


def _is_there(path: Path, labels: np.ndarray, geometry: Geometry) -> bool:
    """Whether this very label map is there. Raises WorkspaceError for another file of that name."""
    if path.is_file():
        try:
            there, grid = read_label_volume(path)
            if not grid.difference(geometry) and np.array_equal(there, labels):
                return True
        except VolumeError:
            pass  # whatever it is, it is refused in the next line
    refuse_existing(path)
    return False


def _write_image(source: Path, path: Path, how: str) -> None:
    """A link or a copy; one that is there and is of the same file stays."""
    if path.exists() and _same_content(source, path):
        return
    refuse_existing(path)
    packed = source.name.endswith(ENDING)
    if how == "links":
        if not packed:
            raise ReviewError(f"{source} does not end in {ENDING}; take copies instead of links")
        _link(source, path)
        return
    with written_new(path) as temporary:
        if packed:
            shutil.copyfile(source, temporary)
        else:
            _convert(source, temporary)


def _link(source: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(source)
    except OSError as error:
        raise ReviewError(f"{path}: no link can be made here ({error.strerror or error}); take copies") from None


def _same_content(source: Path, path: Path) -> bool:
    return path.samefile(source) or (source.name.endswith(ENDING) and filecmp.cmp(source, path, shallow=False))


def _convert(source: Path, path: Path) -> None:
    import SimpleITK

    try:
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(source)), str(path), useCompression=True)
    except RuntimeError as error:
        raise ReviewError(f"{source}: not copied ({str(error).strip().splitlines()[-1]})") from None

"""What is wrong with a case's files, and what is missing: found from headers alone, case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .case import CHANNELS
from .draft import DataSet, Draft
from .geometry import Geometries, majority_grid, relation, split_evenly
from .volumes import Geometry, VolumeError

NO_RESAMPLING = "export it on that grid again, nothing is resampled here"


def check(data_set: DataSet, geometries: Geometries, tell: Callable[[str], None]) -> None:
    """Add every problem of geometry and every missing file of the data set's cases to their problems.

    ``tell`` gets the name of each case once its files were looked at.
    """
    models = data_set.models
    for draft in data_set.drafts.values():
        _check_geometry(draft, geometries, data_set.root)
        _note_missing(draft, models)
        tell(draft.case)


def _check_geometry(draft: Draft, geometries: Geometries, root: Path) -> None:
    """An image off the reference's grid spoils the case, a prediction off it only that model."""
    images = _readable(draft, draft.images, geometries)
    reference = _readable(draft, {"": draft.reference} if draft.reference else {}, geometries)
    predictions = _readable(draft, draft.predictions, geometries, of_models=True)
    grid = _grid_file(draft, reference, images, predictions)
    if grid is None:
        return
    path, geometry = grid
    for channel, other in images.items():
        if message := _difference(draft.images[channel], other, path, geometry, root):
            draft.error(message, draft.images[channel])
    for model, other in predictions.items():
        if message := _difference(draft.predictions[model], other, path, geometry, root):
            draft.error(message, draft.predictions[model], model)


def _readable(
    draft: Draft, files: Mapping[str, Path], geometries: Geometries, *, of_models: bool = False
) -> dict[str, Geometry]:
    """Geometries of the files that can be read; the others are errors of the case, or of their model."""
    found = {}
    for name, path in files.items():
        try:
            found[name] = geometries.read(path)
        except (VolumeError, OSError) as error:
            draft.unreadable.add(path)
            draft.error(str(error), path, name if of_models else "")
    return found


def _grid_file(
    draft: Draft,
    reference: Mapping[str, Geometry],
    images: Mapping[str, Geometry],
    predictions: Mapping[str, Geometry],
) -> tuple[Path, Geometry] | None:
    """The file whose grid is the case's, with its geometry: reference, else image, else most predictions'."""
    if reference and draft.reference:
        return draft.reference, reference[""]
    if images:
        channel = next(iter(images))
        return draft.images[channel], images[channel]
    if not predictions:
        return None
    model = majority_grid(predictions)
    if not model:
        draft.error(split_evenly(predictions))
        return None
    return draft.predictions[model], predictions[model]


def _difference(path: Path, mine: Geometry, grid_path: Path, grid: Geometry, root: Path) -> str:
    difference = mine.difference(grid)
    if not difference:
        return ""
    belongs = relation(mine, grid)
    how = f"{difference}; {belongs}" if belongs else difference
    return f"{_short(path, root)} lies on another grid than {_short(grid_path, root)}: {how}; {NO_RESAMPLING}"


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _note_missing(draft: Draft, models: Sequence[str]) -> None:
    missing = [channel for channel in CHANNELS if channel not in draft.images]
    if missing:
        draft.note("no image" if len(missing) == len(CHANNELS) else f"no image of channel {', '.join(missing)}")
    if draft.reference is None:
        draft.note("no reference: models can only be compared with each other")
    for model in models:
        if model not in draft.predictions:
            only = " (only a probability map)" if model in draft.probabilities else ""
            draft.note(f"no prediction of this model{only}", model=model)

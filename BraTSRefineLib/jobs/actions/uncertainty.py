"""Map where the members disagree or are unsure, list the places to look at, and sum up each case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...cohort import CHANNELS, Case, case_geometry
from ...cohort.volumes import Geometry, read_image, write_volume
from ...cohort.workspace import write_json
from ...fusion import QUANTITIES
from ...regions import REGIONS
from ...review import Flag, Flagged, RiskTable, default_threshold, read_risks, risks_file
from ..context import Context
from ..description import JobError
from .flag_tables import write_flag_maps, write_flag_tables
from .flagging import Asked, Seen, case_flags
from .members import CASE_ERRORS, CaseError, known_regions, usable_members
from .own_flags import flag_own_maps
from .results import joined, write_table
from .uncertainty_sources import FROM_PROBABILITIES, from_probabilities, from_votes

UNCERTAINTY_COLUMNS = [
    "case",
    "region",
    "quantity",
    "mean_in_tumour",
    "mean_in_brain",
    "maximum",
    "threshold",
    "volume_above_ml",
    "members",
    "status",
]
"""``mean_in_tumour``: over the voxels that at least one member gives to the region; empty where there are none.
``mean_in_brain``: over the voxels that are not zero in the case's first image; empty without an image.
``volume_above_ml``: of the voxels at or above ``threshold``."""

FROM_LABELS = ("disagreement",)
NOT_FOUND = "no member finds this region"


@dataclass
class Maps:
    """What one sort of members says about a case, and the names of the quantities that are written."""

    members: list[str]
    seen: Seen
    written: tuple[str, ...]

    @property
    def quantities(self) -> dict[str, np.ndarray]:
        """Each ``(3, z, y, x)``."""
        return {name: self.seen.quantities[name] for name in self.written}


@dataclass
class Tables:
    """What is known about the cases done so far."""

    flags: list[Flag] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)


def run(context: Context) -> dict[str, object]:
    """``maps/`` with a description beside each map, ``flags.csv`` and ``uncertainty.csv`` of the workspace.

    Of a single model, which must have been predicted here, its own maps are flagged.
    """
    cohort, asked = context.cohort(), _asked(context)
    models = list(dict.fromkeys(context.job.parameters["models"] or cohort.models))
    if len(models) < 2:
        return flag_own_maps(context, cohort, models, asked)
    risks, tables = read_risks(risks_file(context.workspace)), Tables()
    for case in context.cases(cohort, models):
        try:
            geometry, sorts = _maps(context, case, models)
            found = _flags(case, geometry, sorts, asked, risks)
            rows = [row for maps in sorts for row in _rows(context, case, geometry, maps)]
        except CASE_ERRORS as error:
            context.problem(case.case, str(error))
            continue
        _write_maps(context, case, geometry, sorts)
        tables.flags += write_flag_maps(context, case.case, geometry, found)
        tables.rows += rows
        tables.done.append(case.case)
    return _write_tables(context, tables, {case.case for case in cohort.cases})


def _asked(context: Context) -> Asked:
    """Raises JobError for a threshold and a budget at once."""
    asked = Asked(context.job.parameters["threshold"], context.job.parameters["budget_ml"])
    if None not in (asked.threshold, asked.budget_ml):
        raise JobError("uncertainty: a threshold and a budget at once; the budget looks for the threshold itself")
    return asked


def _maps(context: Context, case: Case, models: list[str]) -> tuple[Geometry, list[Maps]]:
    """The maps from probabilities, where there are two, then those from label maps."""
    members = usable_members(context, case, models)
    if len(members) < 2:
        raise CaseError(f"no uncertainty: it takes two models, {len(members)} can be used here")
    probable = [model for model in members if model in case.probabilities]
    sorts = [Maps(probable, from_probabilities(case, probable), FROM_PROBABILITIES)] if len(probable) >= 2 else []
    sorts.append(Maps(members, from_votes(case, members), FROM_LABELS))
    geometry = case_geometry(case)
    if any(maps.seen.consensus.shape[1:] != geometry.array_shape for maps in sorts):
        raise CaseError("no uncertainty: the members have another number of voxels than the case")
    return geometry, sorts


def _flags(
    case: Case, geometry: Geometry, sorts: list[Maps], asked: Asked, risks: dict[str, RiskTable]
) -> dict[str, Flagged]:
    """By region the places to look at: by the calibrated risk where these members have one, else by what is best."""
    regions = known_regions(case, sorts[0].members)
    found = case_flags(case.case, geometry, regions, [maps.seen for maps in sorts], asked, risks)
    return dict(zip(regions, found, strict=True))


def _rows(context: Context, case: Case, geometry: Geometry, maps: Maps) -> Iterator[dict[str, object]]:
    brain = brain_of(case, maps.seen.consensus.shape[1:])
    for region in known_regions(case, maps.members):
        level = REGIONS.index(region)
        for quantity, stack in maps.quantities.items():
            if quantity == "mean":
                continue
            threshold = context.job.parameters["threshold"] or default_threshold(quantity)
            numbers = _numbers(stack[level], maps.seen.anywhere[level], brain, threshold, geometry)
            names = {"case": case.case, "region": region, "quantity": quantity, "members": len(maps.members)}
            yield names | {"threshold": threshold} | numbers


def _numbers(
    values: np.ndarray, anywhere: np.ndarray, brain: np.ndarray | None, threshold: float, geometry: Geometry
) -> dict[str, object]:
    return {
        "mean_in_tumour": float(values[anywhere].mean()) if anywhere.any() else np.nan,
        "mean_in_brain": float(values[brain].mean()) if brain is not None and brain.any() else np.nan,
        "maximum": float(values.max()),
        "volume_above_ml": int((values >= threshold).sum()) * geometry.voxel_ml,
        "status": "ok" if anywhere.any() else NOT_FOUND,
    }


def brain_of(case: Case, shape: tuple[int, ...]) -> np.ndarray | None:
    """The skull-stripped head of the case's first image, where there is one on the same grid."""
    channel = next((name for name in CHANNELS if name in case.images), None)
    if channel is None:
        return None
    image = read_image(case.images[channel])
    return image != 0 if image.shape == shape else None


def _write_maps(context: Context, case: Case, geometry: Geometry, sorts: list[Maps]) -> None:
    for maps in sorts:
        for quantity, stack in maps.quantities.items():
            for region in known_regions(case, maps.members):
                _write_map(context, case, geometry, maps.members, quantity, region, stack[REGIONS.index(region)])


def _write_map(
    context: Context,
    case: Case,
    geometry: Geometry,
    members: list[str],
    quantity: str,
    region: str,
    values: np.ndarray,
) -> None:
    about, path = QUANTITIES[quantity], context.staged.map_path(case.case, quantity, region)
    what = about.describe(len(members))
    write_volume(path, values, geometry, what)
    description = {
        "quantity": quantity,
        "what": what,
        "low": about.low,
        "high": about.high,
        "unit": about.unit,
        "region": region,
        "members": members,
        "case": case.case,
    }
    write_json(path.with_name(path.name.replace(".nii.gz", ".json")), description)


def _write_tables(context: Context, tables: Tables, cohort: set[str]) -> dict[str, object]:
    """The run keeps its own tables; the workspace's also keep the cases that were not done anew."""
    if not tables.done:
        raise JobError("uncertainty: no case has two models that can be used; the problems above say why")
    rows = pd.DataFrame(tables.rows, columns=UNCERTAINTY_COLUMNS)
    previous = _previous_rows(context)
    kept = previous[previous["case"].isin(cohort - set(tables.done))]
    write_flag_tables(context, tables.flags, tables.done, cohort)
    write_table(rows, context.outputs / "uncertainty.csv")
    write_table(joined([kept, rows], UNCERTAINTY_COLUMNS), context.staged.uncertainty_csv)
    return {"cases": len(tables.done), "flags": len(tables.flags), "quantities": sorted(set(rows["quantity"]))}


def _previous_rows(context: Context) -> pd.DataFrame:
    rows = context.workspace.uncertainty_csv
    return pd.read_csv(rows, dtype={"case": str}) if rows.is_file() else pd.DataFrame(columns=UNCERTAINTY_COLUMNS)

"""The maps of uncertainty that the workspace has of a case: across the cohort's models, and of one predicted here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .casedata import UncertaintyMap, readUncertainty

if TYPE_CHECKING:
    from BraTSRefineLib.cohort.workspace import Workspace

PREFERRED = ("entropy", "variance", "disagreement")


@dataclass(frozen=True)
class MapFile:
    """One map; ``model`` is empty where it compares the cohort's models."""

    quantity: str
    region: str
    path: Path
    model: str = ""


def found(workspace: Workspace, case: str, region: str, model: str) -> list[MapFile]:
    """The model's own maps, where it was predicted here, then those across models; each by name."""
    return [*_ofModel(workspace, case, region, model), *_acrossModels(workspace, case, region)]


def best(available: Sequence[MapFile], quantity: str, own: bool) -> MapFile | None:
    """The wanted quantity of the wanted source; else the most telling one of it, else of the other source."""
    chosen = [one for one in available if bool(one.model) == own] or list(available)
    wanted = (quantity, *PREFERRED, *(one.quantity for one in chosen))
    return next((one for name in wanted for one in chosen if one.quantity == name), None)


def read(workspace: Workspace, case: str, chosen: MapFile) -> UncertaintyMap:
    """The voxels and what they are. Raises VolumeError; JobError for a damaged record of a prediction."""
    return _readOfModel(workspace, case, chosen) if chosen.model else readUncertainty(chosen.path)


def _ofModel(workspace: Workspace, case: str, region: str, model: str) -> list[MapFile]:
    from BraTSRefineLib.fusion import QUANTITIES

    if not model:
        return []
    paths = {name: workspace.model_map_path(model, case, region, name) for name in sorted(QUANTITIES)}
    return [MapFile(name, region, path, model) for name, path in paths.items() if path.is_file()]


def _acrossModels(workspace: Workspace, case: str, region: str) -> list[MapFile]:
    folder, ending = workspace.map_path(case, "x", region).parent, f"_{region}.nii.gz"
    paths = sorted(folder.glob(f"*{ending}"))
    return [MapFile(path.name.removesuffix(ending), region, path) for path in paths]


def _readOfModel(workspace: Workspace, case: str, chosen: MapFile) -> UncertaintyMap:
    """A prediction's maps carry no description of their own: the quantity and the case's record say what they are."""
    from BraTSRefineLib.cohort.volumes import read_volume
    from BraTSRefineLib.fusion import QUANTITIES
    from BraTSRefineLib.jobs.predicted import Predicted

    record = Predicted(workspace, chosen.model).record_of(case) or {}
    members, about = len(record.get("members", ())), QUANTITIES[chosen.quantity]
    return UncertaintyMap(
        *(*read_volume(chosen.path), chosen.quantity, chosen.region),
        *(about.describe(members), about.low, about.high, about.unit, members, chosen.model),
    )

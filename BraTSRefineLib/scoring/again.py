"""How a workspace was scored, so that a changed cohort can be scored again alike."""

from __future__ import annotations

from ..cohort.workspace import Workspace
from .conventions import CONVENTIONS
from .extra_measures import FIRST_METRIC
from .lesion_presets import PRESETS
from .table import scored_how


def scored_settings(workspace: Workspace) -> dict[str, object]:
    """Parameters of a score job as the workspace's ``scores.json`` tells them; empty where there is none.

    Raises ScoringError where it is damaged.
    """
    if not workspace.scores_json.is_file():
        return {}
    about = scored_how(workspace)
    names, metrics = about.get("conventions", {}), about.get("metrics", [])
    tolerances = [float(name[len("nsd_") : -len("mm")]) for name in metrics if name.startswith("nsd_")]
    convention = next((name for name in names if name in CONVENTIONS), None)
    found = {
        "convention": convention,
        "lesions": next((name for name in names if name in PRESETS and name != convention), None),
        "tolerances": tolerances or None,
    }
    measures = [measure for measure, first in FIRST_METRIC.items() if first in metrics]
    return {name: value for name, value in found.items() if value is not None} | {"measures": measures}

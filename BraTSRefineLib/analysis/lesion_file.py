"""The table of lesions that scoring leaves in a workspace."""

from __future__ import annotations

import pandas as pd

from ..cohort import Workspace
from ..scoring import LESION_COLUMNS
from .metrics import AnalysisError


def read_lesions(workspace: Workspace) -> pd.DataFrame:
    """The workspace's lesions, from ``lesions.parquet`` or, without it, from ``lesions.csv``.

    Raises AnalysisError where there are none, the file is damaged, or it is of another version.
    """
    paths = [workspace.root / "lesions.parquet", workspace.root / "lesions.csv"]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise AnalysisError(f"{workspace.root}: no table of lesions; score the cohort under a lesion-wise convention")
    path = found[0]
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"{path}: not readable ({error}); delete it and score the cohort again") from error
    missing = [name for name in LESION_COLUMNS if name not in table.columns]
    if missing:
        raise AnalysisError(f"{path}: no column {', '.join(missing)}; it is of another version: score the cohort again")
    numbers = ["lesion", "volume_ml", "l_mm", "p_mm", "s_mm", "dice", "hd95_mm"]
    table = table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})
    return table.assign(counted=table["counted"].astype(str).str.lower() == "true")

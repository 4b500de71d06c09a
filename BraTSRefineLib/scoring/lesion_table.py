"""The table of lesions of a cohort: its columns and its files in the workspace."""

from __future__ import annotations

import pandas as pd

from ..cohort.volumes import Geometry
from ..cohort.workspace import Workspace, written_whole
from .lesion_matching import Lesion

LESION_COLUMNS = (
    "case",
    "model",
    "region",
    "lesion",
    "side",
    "status",
    "counted",
    "volume_ml",
    "l_mm",
    "p_mm",
    "s_mm",
    "predictions",
    "dice",
    "hd95_mm",
    "convention",
)
"""``l_mm, p_mm, s_mm`` is the lesion's mean position (LPS); the others as in ``LesionScores.lesions``."""

KINDS = {"lesion": "int64", "predictions": "int64", "counted": bool} | dict.fromkeys(
    ("volume_ml", "l_mm", "p_mm", "s_mm", "dice", "hd95_mm"), float
)
LesionRow = tuple[str, str, str, int, str, str, bool, float, float, float, float, int, float, float, str]


def lesion_row(case: str, model: str, region: str, lesion: Lesion, geometry: Geometry, convention: str) -> LesionRow:
    """One lesion of a case as a row; its index becomes a position in mm."""
    position = geometry.to_physical((lesion.z, lesion.y, lesion.x))
    about = (lesion.lesion, lesion.side, lesion.status, lesion.counted, lesion.volume_ml)
    return (case, model, region, *about, *position, lesion.predictions, lesion.dice, lesion.hd95_mm, convention)


def lesion_table(rows: list[LesionRow]) -> pd.DataFrame:
    """The rows as a table of ``LESION_COLUMNS``."""
    table = pd.DataFrame(rows, columns=list(LESION_COLUMNS))
    return table.astype({column: KINDS.get(column, str) for column in LESION_COLUMNS})


def write_lesions(lesions: pd.DataFrame, workspace: Workspace) -> None:
    """Write ``lesions.csv`` and ``lesions.parquet``, each whole or not at all.

    Raises WorkspaceError where they cannot be written.
    """
    with written_whole(workspace.lesions_csv) as temporary:
        lesions.to_csv(temporary, index=False, lineterminator="\n")
    with written_whole(workspace.lesions_parquet) as temporary:
        lesions.to_parquet(temporary, index=False)

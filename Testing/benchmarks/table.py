"""The table of worst cases with 5,000 rows and 20 columns in the window: a key in the filter, a press on a heading.

From the press to the painted table, in the real panel off-screen; the cohort has names and scores and no files.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure

CASES, MODELS, REGIONS = 5000, ("one", "two", "three"), ("WT", "TC", "ET")
METRICS = ("dice", "hd95_mm", "assd_mm", "nsd_1mm", "sensitivity", "precision", "volume_reference_ml")
COLUMNS = 20
TYPED = "center_2 dice.WT<0.8 size>5"
BAR_S = 0.1


def measure() -> list[Figure]:
    from BraTSRefine.Standalone.host import start

    with tempfile.TemporaryDirectory() as folder:
        host = start("BraTSRefine", offscreen=True, size=(1280, 800))
        try:
            return _measured(host, Path(folder))
        finally:
            host.close()


def _measured(host, folder: Path) -> list[Figure]:
    from run import Figure

    bench = host.widget.workbench
    session = bench.session
    session.open(*_prepared(folder))
    host.widget.showPanel("Worst cases")
    opened = _seconds(host, bench.refresh)
    panel = bench.worstCases
    panel.chooser._tell(_chosen(panel.columns))
    host.settle()
    assert len(panel.table.keys) == COLUMNS
    assert len(panel.shownCases) == CASES
    keys = [_seconds(host, lambda text=TYPED[: n + 1]: _type(panel, text)) for n in range(len(TYPED))]
    panel.ui.filterEdit.setText("")
    presses = [_seconds(host, lambda column=column: panel.table._onHeading(column)) for column in range(COLUMNS)]
    region = _seconds(host, lambda: bench.setRegion("WT"))
    detail = f"{CASES} cases, {COLUMNS} columns, window of 1280x800"
    return [
        Figure("filter, key to painted table, median", statistics.median(keys), "<=", BAR_S, "s", detail),
        Figure("filter, slowest key", max(keys), unit="s", detail=f"of {len(keys)}: {TYPED}"),
        Figure("sort, press to painted table, median", statistics.median(presses), "<=", BAR_S, "s", detail),
        Figure("sort, slowest column", max(presses), unit="s"),
        Figure(
            "all panels shown anew", opened, unit="s", detail=f"{len(session.scores)} scores of {len(MODELS)} models"
        ),
        Figure("another region", region, unit="s"),
    ]


def _type(panel, text: str) -> None:
    panel.ui.filterEdit.setText(text)


def _seconds(host, action) -> float:
    """Until the table is painted again."""
    started = time.perf_counter()
    action()
    host.widget.workbench.worstCases.ui.casesTable.viewport().repaint()
    return time.perf_counter() - started


def _chosen(columns):
    """Enough metrics of all regions to make up the number of columns."""
    from BraTSRefineUI.casecolumns import Key
    from BraTSRefineUI.tablecolumns import Chosen, tableColumns

    keys = [Key(metric, region) for region in REGIONS for metric in METRICS]
    own = [column.key for column in tableColumns(columns, "dice", Chosen())]
    added = [key for key in keys if key not in own][: COLUMNS - len(own)]
    return Chosen(tuple(added))


def _prepared(folder: Path) -> tuple[Path, Path]:
    """A cohort's folder and a workspace that knows its cases and scores."""
    import numpy as np
    import pandas as pd

    from BraTSRefineLib.cohort import Case, Cohort, Workspace, save_cohort
    from BraTSRefineLib.scoring import write_scores

    names = [f"BraTS-GLI-{number:05d}-000" for number in range(CASES)]
    root = folder / "cohort"
    root.mkdir()
    cases = tuple(
        Case(name, center=f"center_{number % 4}", predictions={m: root / m / f"{name}.nii.gz" for m in MODELS})
        for number, name in enumerate(names)
    )
    workspace = Workspace.open(folder / "workspace", root)
    save_cohort(Cohort(root, "flat", cases), workspace)
    random = np.random.default_rng(1)
    blocks = [
        pd.DataFrame(
            {
                "case": names,
                "model": model,
                "region": region,
                "metric": metric,
                "value": random.random(CASES)
                * (50.0 if metric.endswith(("mm", "ml")) and metric != "nsd_1mm" else 1.0),
                "status": "ok",
                "convention": "plain",
            }
        )
        for model in MODELS
        for region in REGIONS
        for metric in METRICS
    ]
    write_scores(pd.concat(blocks, ignore_index=True), workspace)
    return root, workspace.root

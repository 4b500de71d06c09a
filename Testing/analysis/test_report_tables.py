"""Every table of the report can be taken along, and sparse cohorts give the report of what they have."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis import write_report
from BraTSRefineLib.cohort import Case, Cohort, Workspace
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.scoring import write_scores

LESIONS = {
    "lesion": 1,
    "side": "reference",
    "counted": True,
    "l_mm": 10.0,
    "p_mm": -20.0,
    "s_mm": 30.0,
    "predictions": "",
    "convention": "brats2023-gli",
}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def reported(make, workspace):
    """``reported(cases, lesions)`` writes the report of hand-made scores into the workspace and gives the page."""
    return lambda cases, lesions=None, **attributes: write(make, workspace, cases, lesions, **attributes)


@pytest.fixture(scope="module")
def two_models(make, tmp_path_factory):
    """The report of two models on fourteen cases of two centres: its page and its workspace."""
    workspace = Workspace(tmp_path_factory.mktemp("report") / "workspace")
    return write(make, workspace, cohort_of(14)), workspace


def write(make, workspace: Workspace, cases: list, lesions: pd.DataFrame | None = None, **attributes: str) -> str:
    """The page of the report of cases ``(case, center, model, {region: (dice, ml)})``."""
    rows, known = [], {}
    for case, center, model, figures in cases:
        known.setdefault(case, (center, {}))[1][model] = Path(f"elsewhere/{model}/{case}.nii.gz")
        for region, (dice, size) in figures.items():
            values = {"dice": dice, "hd95_mm": 5.0, "nsd_1mm": dice, "volume_reference_ml": size}
            rows.append(make.rows(case, model, region, volume_prediction_ml=size, **values))
    labels = label_convention("brats2024-gli")
    made = tuple(
        Case(name, center=center, predictions=paths, labels=labels, attributes=attributes)
        for name, (center, paths) in known.items()
    )
    scores, cohort = make.table(*rows), Cohort(Path("somewhere"), "manifest", made)
    write_scores(scores, workspace)
    columns = ["case", "model", "kind", "message", "evidence"]
    pd.DataFrame(columns=columns).to_csv(workspace.findings_csv, index=False)
    if lesions is not None:
        lesions.to_csv(workspace.root / "lesions.csv", index=False)
    return write_report(cohort, scores, workspace).read_text(encoding="utf-8")


def cohort_of(count: int, models=("a", "b"), regions=("WT", "ET"), centers="AB") -> list:
    random = np.random.default_rng(3)
    return [
        (f"c{i:02}", centers[i % len(centers)], model, {r: (random.uniform(0.4, 0.95), 1.0 + i) for r in regions})
        for i in range(count)
        for model in models
    ]


def carried(page: str) -> dict[str, str]:
    """The CSV files that a page holds, by name."""
    links = re.findall(r'<a class="csv" href="([^"]*)" download="([^"]*)"', page)
    return {name: unquote(unescape(link).partition(",")[2]) for link, name in links}


def test_every_table_is_in_the_page_and_beside_it(two_models):
    page, workspace = two_models
    beside = {path.name: path.read_text(encoding="utf-8") for path in workspace.report_tables.iterdir()}
    assert "For research use only." in beside.pop("README.txt")
    assert carried(page) == beside
    assert {"worst-cases.csv", "strata-size-center.csv", "centers.csv", "models-paired.csv", "metrics.csv"} <= {*beside}
    assert page.count("<table") > len(beside) / 2


def test_tables_name_their_convention(two_models):
    _, workspace = two_models
    for name in ("worst-cases", "predictions"):
        assert set(pd.read_csv(workspace.report_tables / f"{name}.csv")["convention"]) == {"brats2023"}
    markdown = workspace.report_md.read_text(encoding="utf-8")
    assert markdown.count("Convention: brats2023.") > 8
    assert "Both masks empty is a perfect score" in markdown


def test_markdown_links_only_to_files_that_are_there(two_models):
    _, workspace = two_models
    linked = re.findall(r"\]\((report/[^)]+)\)", workspace.report_md.read_text(encoding="utf-8"))
    assert len(linked) > 10
    assert all((workspace.root / path).is_file() for path in linked)


def test_every_prediction_is_in_the_table_of_predictions(two_models):
    _, workspace = two_models
    table = pd.read_csv(workspace.report_tables / "predictions.csv")
    assert len(table) == 28 and table["mean_dice"].is_monotonic_increasing
    assert {"WT_dice", "ET_hd95_mm", "ET_volume_reference_ml", "center"} <= set(table.columns)


def test_single_tissues_follow_the_tumour_regions(reported, workspace):
    page = reported(cohort_of(6, regions=("RC", "ET", "SNFH", "WT")))
    strata = pd.read_csv(workspace.report_tables / "strata-region.csv")
    assert list(dict.fromkeys(strata["region"])) == ["WT", "ET", "RC", "SNFH"]
    assert "Resection cavity (RC)" in page


def test_a_cohort_of_one_gives_a_report(reported):
    page = reported(cohort_of(1, models=("a",)))
    assert "1 case says little about others" in page
    assert "only one centre is known" in page


def test_a_centre_without_a_region_is_said_to_have_none(reported, workspace):
    cases = cohort_of(24, models=("a",))
    cases = [(c, z, m, f | {"ET": (1.0, 0.0)} if z == "B" else f) for c, z, m, f in cases]
    reported(cases)
    centers = pd.read_csv(workspace.report_tables / "centers.csv")
    assert "none of its 12 cases has the region" in set(centers.query("region == 'ET'")["warning"])


def test_a_stratum_of_one_case_is_pale(reported):
    cases = [*cohort_of(8, models=("a",)), ("huge", "A", "a", {"ET": (0.9, 50.0)})]
    assert 'class="heat-cell few"' in reported(cases)


def test_models_that_share_no_case_are_not_compared(reported):
    cases = [(f"c{i}", "", "ab"[i % 2], {"WT": (0.8, 30.0)}) for i in range(8)]
    assert "Not compared: no case was predicted by all of a, b" in reported(cases)


def test_attributes_of_the_manifest_are_strata(reported, workspace):
    reported(cohort_of(6), scanner="GE")
    assert not (workspace.report_tables / "strata-scanner.csv").exists()


def test_lesions_are_listed_with_the_largest_missed_one_first(reported, workspace):
    sizes = [0.05, 0.5, 5.0, 20.0]
    lesions = pd.DataFrame(
        {
            "case": ["c00", "c01", "c02", "c03"],
            "model": "a",
            "region": "ET",
            "status": ["missed", "matched", "missed", "matched"],
            "volume_ml": sizes,
            "dice": [0.0, 0.6, 0.0, 0.9],
            "hd95_mm": [374.0, 4.0, 374.0, 2.0],
        }
    ).assign(**LESIONS)
    page = reported(cohort_of(6, models=("a",)), lesions)
    worst = pd.read_csv(workspace.report_tables / "worst-lesions.csv")
    assert list(worst["case"]) == ["c02", "c00", "c01", "c03"]
    assert "Convention: brats2023-gli." in page
    detection = pd.read_csv(workspace.report_tables / "lesion-detection.csv")
    assert dict(zip(detection["stratum"], detection["detected"], strict=True))["from 10 ml"] == 1


def test_without_lesions_the_section_says_how_to_get_them(reported):
    assert "Score the cohort again with --measures lesions" in reported(cohort_of(2))


def test_calibration_is_shown_where_it_was_scored(make, workspace):
    rows = [make.rows(f"c{i}", "net", "ET", dice=0.8, ece_band=0.1 + i / 100, brier_band=0.2) for i in range(5)]
    cohort = Cohort(Path("somewhere"), "manifest", tuple(Case(f"c{i}") for i in range(5)))
    page = write_report(cohort, make.table(*rows), workspace).read_text(encoding="utf-8")
    assert "Are the probabilities to be believed?" in page and 'id="plot-spread-ece_band"' in page
    table = pd.read_csv(workspace.report_tables / "calibration.csv")
    assert list(table["metric"]) == ["ece_band", "brier_band"]
    assert table["mean"].iloc[0] == pytest.approx(0.12)

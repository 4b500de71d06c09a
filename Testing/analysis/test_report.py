"""The report is one file that names the worst cases, explains the numbers, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from BraTSRefineLib.analysis import AnalysisError, findings, worst_on_average, write_report
from BraTSRefineLib.cohort import Problem, Workspace, discover
from BraTSRefineLib.scoring import score_cohort, write_scores

LOADED = re.compile(
    r"""(?:<(?:script|img|link|iframe|source)[^>]*(?:src|href)\s*=\s*["']?|@import\s|url\()\s*["']?(?!data:)\w"""
)


def text_of(path) -> str:
    """What a reader sees: without scripts, styles and tags."""
    page = path.read_text(encoding="utf-8")
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S)
    ends = r"</(?:td|th|p|div|li|h\d|a|option|figcaption|summary)>"
    return " ".join(unescape(re.sub(r"<[^>]+>", "", re.sub(ends, " ", page))).split())


def figures(page: str) -> list[dict]:
    """Every plot of a page as plotly takes it."""
    return [
        json.loads(data) for data in re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.S)
    ]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "workspace")


def reported_in(make, folder) -> tuple:
    """Three cases with images, two models; ``poor`` misses ET in "small" and floods "large". Cohort, scores, page."""
    small, large = make.tumour(radius=8), make.tumour(radius=11)
    without = np.where(small == 3, 1, small)
    flood = np.where(make.ball((20, 24, 28), 19) & (large == 0), 2, large)
    image = np.random.default_rng(1).random((40, 48, 56), dtype=np.float32)
    cohort = make.cohort_on_disk(
        folder,
        {
            "small <b>one</b>": (small, {"good": make.tumour(radius=8.4), "poor": without}),
            "large": (large, {"good": make.tumour(radius=11.5), "poor": flood}),
            "middle": (make.tumour(radius=10), {"good": make.tumour(radius=10)}),
        },
        {"large": {"t1c": image, "t2f": image}},
    )
    scores = score_cohort(cohort, workers=1)
    return cohort, scores, write_report(cohort, scores, Workspace(folder / "workspace"))


@pytest.fixture(scope="module")
def reported(make, tmp_path_factory):
    """The report that many tests read and none changes."""
    return reported_in(make, tmp_path_factory.mktemp("report"))


@pytest.fixture
def reported_here(make, tmp_path):
    """The same in a folder of its own, where files may be broken."""
    return reported_in(make, tmp_path)


def test_it_lies_where_the_workspace_says(reported_here, workspace):
    assert reported_here[2] == workspace.report_html
    assert sorted(path.name for path in workspace.root.iterdir()) == ["report", "report.html", "report.md"]


def test_it_names_every_worst_case_with_its_figures(reported):
    _, scores, path = reported
    text = text_of(path)
    for row in worst_on_average(scores, worst=20).itertuples():
        assert row.case in text and row.model in text
        assert f"{row.value:.2f}" in text


def test_it_says_in_words_what_is_wrong(reported):
    text = text_of(reported[2])
    assert "ET missed altogether (0.31 ml). Lower the ET threshold or add members." in text
    assert "WT floods: " in text
    assert re.search(r"(Whole tumour|Enhancing tumour|Tumour core) has the lowest figures: median Dice", text)
    assert "poor is the weakest of 2 models" in text


def test_page_markdown_and_tables_are_for_research_only(reported, workspace):
    """The tables stay plain CSV; a file beside them says it."""
    path = reported[2]
    for file in (path, path.with_suffix(".md"), path.parent / "report" / "README.txt"):
        assert "For research use only" in file.read_text(encoding="utf-8"), file.name


def test_it_says_what_was_compared_with_what(reported):
    text = text_of(reported[2])
    for said in (
        "For research use only",
        "the reference in 3 cases",
        "brats2023 (NCR 1, ED 2, ET 3)",
        "brats2023: Both",
    ):
        assert said in text
    assert "numpy" in text and "bratsrefine" in text


def test_it_loads_nothing_from_elsewhere(reported):
    page = reported[2].read_text(encoding="utf-8")
    without_plotly = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.S)
    assert not LOADED.search(without_plotly)
    assert "http://" not in without_plotly and "https://" not in without_plotly
    assert not re.search(r"<script[^>]+src=", page)


def test_plotly_is_in_it_once(reported):
    page = reported[2].read_text(encoding="utf-8")
    assert page.count("plotly.js v") == 1
    assert len(figures(page)) >= 3


def test_names_of_files_are_escaped(reported):
    page = reported[2].read_text(encoding="utf-8")
    assert "<b>one" not in page
    assert "small &lt;b&gt;one&lt;/b&gt;" in page


def test_every_worst_case_has_a_picture(reported):
    _, scores, path = reported
    page = path.read_text(encoding="utf-8")
    assert page.count("<img ") == len(worst_on_average(scores, worst=20))
    assert "T1c · " in page and "no image · " in page


def test_the_number_of_worst_cases_can_be_chosen(reported, workspace):
    cohort, scores, _ = reported
    path = write_report(cohort, scores, workspace, worst=2, metric="hd95_mm")
    assert path.read_text(encoding="utf-8").count("<img ") == 2
    assert "The 2 worst of 5 predictions CSV By the mean HD95" in text_of(path)


def test_it_tells_its_progress(reported, workspace):
    cohort, scores, _ = reported
    steps = []
    write_report(cohort, scores, workspace, worst=2, progress=lambda *step: steps.append(step[:2]))
    assert steps == [(1, 2), (2, 2)]


def test_machine_paths_are_not_in_it(reported, workspace):
    cohort, scores, _ = reported
    broken = Problem(f"{cohort.root}/0/seg.nii.gz: truncated", "middle", file=cohort.root / "0" / "seg.nii.gz")
    path = write_report(replace(cohort, problems=(broken,)), scores, workspace)
    assert str(cohort.root) not in path.read_text(encoding="utf-8")
    assert "0/seg.nii.gz: truncated" in text_of(path)


def test_what_could_not_be_scored_is_listed_with_its_reason(on_disk, make, workspace):
    cohort = on_disk({name: (make.tumour(), {"net": make.tumour(radius=11)}) for name in ("broken", "fine")})
    cohort.cases[0].predictions["net"].write_bytes(b"no image")
    text = text_of(write_report(cohort, score_cohort(cohort, workers=1), workspace))
    assert "1 prediction could not be scored" in text
    assert "not scored net" in text and "broken" in text


def test_a_file_that_vanished_after_scoring_is_a_line_in_its_row(reported_here, workspace):
    cohort, scores, _ = reported_here
    cohort["large"].predictions["poor"].unlink()
    text = text_of(write_report(cohort, scores, workspace))
    assert "It could not be read again" in text and "small <b>one</b>" in text


def test_findings_stand_beside_the_case_that_they_explain(on_disk, make, workspace):
    permuted = np.array([0, 3, 1, 2], dtype=np.uint8)[make.tumour()]
    cohort = on_disk({"x": (make.tumour(), {"net": permuted})})
    text = text_of(write_report(cohort, score_cohort(cohort, workers=1), workspace))
    assert "Check the data before the models: permuted labels (net, x)." in text
    assert "Check the data first: its labels look permuted" in text


def test_kept_findings_are_used_while_they_are_as_new_as_the_scores(on_disk, make, workspace):
    cohort = on_disk({"x": (make.tumour(), {"net": make.tumour(radius=11)})})
    scores = score_cohort(cohort, workers=1)
    write_scores(scores, workspace)
    kept = findings(cohort, scores)
    kept.loc[0] = ["x", "net", "not checked", "kept from scoring", ""]
    kept.to_csv(workspace.findings_csv, index=False)
    assert "kept from scoring" in text_of(write_report(cohort, scores, workspace))


def test_models_without_a_reference_are_said_to_be_compared_with_each_other(on_disk, make, workspace):
    maps = {f"net{i}": make.tumour(radius=10 + i / 2) for i in range(3)}
    cohort = on_disk({"x": (None, maps)})
    text = text_of(write_report(cohort, score_cohort(cohort, workers=1), workspace))
    assert "The cases have no reference" in text
    assert "brats2023 vs consensus of the others" in text
    assert "of the consensus" in text or "than the consensus" in text or "within 2 mm of the consensus" in text


def test_references_without_predictions_are_shown(on_disk, make, workspace):
    cohort = on_disk({name: (make.tumour(radius=radius), {}) for name, radius in (("a", 8), ("b", 12))})
    path = write_report(cohort, score_cohort(cohort, workers=1), workspace)
    assert "There are no predictions to score: 2 cases, 2 of them with a reference." in text_of(path)
    assert path.read_text(encoding="utf-8").count("<img ") == 2
    assert path.stat().st_size < 500_000


def test_images_alone_are_shown(on_disk, workspace):
    cohort = on_disk({"a": (None, {})}, {"a": {"t2f": np.ones((40, 48, 56), dtype=np.float32)}})
    path = write_report(cohort, score_cohort(cohort, workers=1), workspace)
    assert "There are no predictions to score: 1 case, 0 of them with a reference." in text_of(path)
    assert 'src="data:image/png' in path.read_text(encoding="utf-8")


def test_many_models_are_listed_downwards(make, on_disk, workspace):
    cohort = on_disk({"x": (make.tumour(), {f"net{i}": make.tumour(radius=10 + i / 4) for i in range(9)})})
    text = text_of(write_report(cohort, score_cohort(cohort, workers=1), workspace, worst=1))
    assert "By region CSV whole tumour tumour core enhancing tumour net0" in text


def test_an_unknown_metric_writes_nothing(reported_here, workspace):
    cohort, scores, path = reported_here
    before = path.read_bytes()
    with pytest.raises(AnalysisError, match="dice"):
        write_report(cohort, scores, workspace, metric="beauty")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["tcga-lgg", "brats2023-ssa", "brats2023-gli-predsonly"])
def test_real_sets_give_a_report(real_data, workspace, name):
    cohort = discover(real_data / name)
    path = write_report(cohort, score_cohort(cohort, workers=1), workspace, worst=3)
    text = text_of(path)
    assert "For research use only" in text and str(real_data) not in path.read_text(encoding="utf-8")
    assert any(case.case in text for case in cohort.cases)


def test_the_phantom_gives_a_report(phantom_cohort, workspace):
    cohort = discover(phantom_cohort)
    text = text_of(write_report(cohort, score_cohort(cohort, workers=1), workspace, worst=5))
    assert "The 5 worst of" in text and "By centre" in text

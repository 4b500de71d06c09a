"""Plots carry the names of the cases, stay small for large cohorts, and never leave the machine."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.analysis.contents import Contents
from BraTSRefineLib.analysis.plot_models import paired_differences
from BraTSRefineLib.analysis.plot_size import size_against_dice
from BraTSRefineLib.analysis.plot_spread import LEAST_DISTANCE, center_distribution, distribution
from BraTSRefineLib.analysis.plots import MANY_POINTS, REGION_COLOURS, group_style, panels, plot_html
from BraTSRefineLib.analysis.views import MEAN
from BraTSRefineLib.cohort import Case, Cohort
from BraTSRefineLib.regions import SCORED_REGIONS


def contents(scores: pd.DataFrame, centers: dict[str, str]) -> Contents:
    cases = tuple(Case(name, center=center) for name, center in centers.items())
    return Contents(
        Cohort(Path("somewhere"), "manifest", cases), scores, pd.DataFrame(columns=["case", "model", "kind"])
    )


@pytest.fixture
def cohort_of(make):
    """``cohort_of(n, models, regions)``: Dice that grow with size, centres by turns."""

    def build(n: int, models=("a", "b"), regions=("WT", "ET"), names="case_{}") -> Contents:
        groups = []
        for index in range(n):
            for place, model in enumerate(models):
                for region in regions:
                    values = {"dice": 0.3 + 0.6 * index / n - 0.01 * place, "hd95_mm": float(index)}
                    groups.append(
                        make.rows(names.format(index), model, region, volume_reference_ml=index + 0.5, **values)
                    )
        return contents(make.table(*groups), {names.format(i): ("north", "south")[i % 2] for i in range(n)})

    return build


def shown_names(plot) -> set[str]:
    return {text for trace in plot.traces for text in trace["text"]}


def test_every_prediction_has_the_name_of_its_case(cohort_of):
    made = cohort_of(7)
    for plot in (distribution(made, "dice"), size_against_dice(made), center_distribution(made, "dice")):
        assert shown_names(plot) == {f"case_{i}" for i in range(7)}


def test_names_are_escaped_for_hover_and_page(cohort_of):
    plot = distribution(cohort_of(2, names="<b>{}</b></script>"), "dice")
    assert "&lt;b&gt;0&lt;/b&gt;&lt;/script&gt;" in shown_names(plot)
    page = plot_html(plot)
    assert page.count("</script>") == 1
    figure = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, flags=re.S)[1])
    assert len(figure["data"]) == 2


def test_distances_are_drawn_on_a_logarithmic_axis_with_their_own_number(cohort_of):
    plot = distribution(cohort_of(3), "hd95_mm")
    assert plot.layout["yaxis"]["type"] == "log"
    assert min(plot.traces[0]["y"]) == LEAST_DISTANCE
    assert min(plot.traces[0]["customdata"]) == 0.0
    assert f"below {LEAST_DISTANCE} drawn at {LEAST_DISTANCE}" in plot.caption


def test_infinite_distances_are_counted_and_not_drawn(make):
    rows = [make.rows(f"c{i}", "net", "ET", dice=0.5, hd95_mm=value) for i, value in enumerate((3.0, inf))]
    plot = distribution(contents(make.table(*rows), {"c0": "", "c1": ""}), "hd95_mm")
    assert plot.traces[0]["y"] == [3.0]
    assert "1 infinite distances (one mask empty) are not drawn" in plot.caption


def test_of_very_many_only_what_is_outside_the_whiskers_keeps_its_name(cohort_of):
    count = MANY_POINTS // 2 + 1
    made = cohort_of(count, models=("a",), regions=("WT", "ET"))
    made.scores.loc[made.scores["value"].sub(0.3).abs() < 1e-9, "value"] = -3.0
    plot = distribution(made, "dice")
    assert {trace["boxpoints"] for trace in plot.traces} == {"outliers"}
    assert shown_names(plot) == {"", "case_0"}
    assert sum(len(trace["y"]) for trace in plot.traces) == 2 * count


def test_size_plot_has_a_panel_a_region_and_a_choice_of_models(cohort_of):
    plot = size_against_dice(cohort_of(6, regions=("WT", "ET", "RC")))
    assert plot.views == (MEAN, "a", "b")
    assert {trace["xaxis"] for trace in plot.traces} == {"x", "x2", "x3"}
    visible = [trace for trace in plot.traces if trace["visible"]]
    assert {trace["meta"] for trace in visible} == {MEAN}
    assert sum(len(trace["x"]) for trace in visible) == 6 * 3


def test_the_mean_over_the_models_counts_a_case_once(cohort_of):
    plot = center_distribution(cohort_of(4), "dice")
    mean = [trace for trace in plot.traces if trace["meta"] == MEAN]
    assert sum(len(trace["y"]) for trace in mean) == 4 * 2
    assert mean[0]["y"][0] == pytest.approx(0.295)


def test_one_model_leaves_nothing_to_choose(cohort_of):
    assert size_against_dice(cohort_of(4, models=("a",))).views == ("a",)


def test_absent_regions_are_left_out_of_the_size_plot_and_said_to_be(make):
    rows = [make.rows(f"c{i}", "net", "ET", dice=1.0, volume_reference_ml=float(i)) for i in range(3)]
    plot = size_against_dice(contents(make.table(*rows), {f"c{i}": "" for i in range(3)}))
    assert shown_names(plot) == {"c1", "c2"}
    assert "are left out (ET 1)" in plot.caption


def test_one_centre_needs_no_plot_of_centres(make):
    rows = [make.rows(f"c{i}", "net", "ET", dice=0.5, volume_reference_ml=1.0) for i in range(3)]
    assert center_distribution(contents(make.table(*rows), dict.fromkeys(("c0", "c1", "c2"), "only")), "dice") is None


def test_paired_differences_are_against_the_best_model(cohort_of):
    plot = paired_differences(cohort_of(6))
    assert "Dice minus that of a" in plot.caption
    assert {value for trace in plot.traces for value in trace["y"]} == {-0.01}


def test_nothing_scored_gives_no_plot(make):
    made = contents(make.table(make.failure("c0", "net", "damaged")), {"c0": ""})
    assert distribution(made, "dice") is None
    assert size_against_dice(made) is None
    assert paired_differences(made) is None


def test_every_region_has_its_own_colour():
    assert set(REGION_COLOURS) == set(SCORED_REGIONS)
    assert len(set(REGION_COLOURS.values())) == len(SCORED_REGIONS)


def test_forty_centres_are_told_apart():
    styles = [tuple(group_style(index).items()) for index in range(40)]
    assert len(set(styles)) == 40


@pytest.mark.parametrize("count", range(1, 10))
def test_panels_lie_within_the_plot_and_beside_each_other(count):
    places = [(*x["domain"], *y["domain"]) for x, y in panels(count)]
    assert all(0 <= low < high <= 1 for place in places for low, high in (place[:2], place[2:]))
    for i, one in enumerate(places):
        for other in places[i + 1 :]:
            apart_x = one[1] <= other[0] or other[1] <= one[0]
            apart_y = one[3] <= other[2] or other[3] <= one[2]
            assert apart_x or apart_y
    assert len(set(np.round(places, 6).ravel().tolist())) >= 2


def test_plots_offer_no_upload():
    script = (files("BraTSRefineLib.analysis") / "report.js").read_text(encoding="utf-8")
    assert "showSendToCloud: false" in script and 'plotlyServerURL: ""' in script
    assert "http" not in script and "fetch(" not in script

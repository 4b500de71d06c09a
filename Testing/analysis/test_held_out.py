"""What holding a centre out costs: told by a model's name or by a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BraTSRefineLib.analysis import held_out_drop
from BraTSRefineLib.analysis.held_out import held_out_centers, held_out_model
from BraTSRefineLib.cohort import Case, Cohort


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("unet_without_north", ("unet", "north")),
        ("unet-loco-North", ("unet", "north")),
        ("unet.heldout_north", ("unet", "north")),
        ("without north", ("", "north")),
        ("unet_no_north", ("unet", "north")),
        ("unet_without_north west", ("unet", "north west")),
        ("unet_north", ("", "")),
        ("unet", ("", "")),
        ("casino_north", ("", "")),
    ],
)
def test_a_models_name_says_which_centre_it_has_not_seen(name, told):
    assert held_out_model(name, ["north", "south", "north west"]) == told


@pytest.fixture
def two_centers() -> Cohort:
    names = [f"{center}_{index}" for center in ("north", "south") for index in range(8)]
    return Cohort(Path("x"), "", tuple(Case(name, center=name.partition("_")[0]) for name in names))


def test_the_drop_is_that_of_the_centres_own_cases(make, two_centers):
    random = np.random.default_rng(1)
    groups = []
    for case in two_centers.cases:
        for model in ("unet", "unet_without_north", "unet_without_south", "other"):
            lost = 0.1 if model.endswith(case.center) else 0.0
            groups.append(make.rows(case.case, model, "WT", dice=0.8 - lost + random.normal(0, 0.01)))
    table = held_out_drop(make.table(*groups), two_centers)
    assert table[["family", "center", "n"]].values.tolist() == [["unet", "north", 8], ["unet", "south", 8]]
    assert table["drop"].tolist() == pytest.approx([0.1, 0.1], abs=0.02)
    assert (table["low"] < table["drop"]).all()
    assert (table["q"] < 0.05).all()


def test_without_such_models_there_is_nothing(make, two_centers):
    scores = make.table(*(make.rows(case.case, "unet", "WT", dice=0.5) for case in two_centers.cases))
    assert held_out_drop(scores, two_centers).empty


def test_without_anything_that_has_seen_the_centre_there_is_nothing(make, two_centers):
    scores = make.table(*(make.rows(case.case, "unet_without_north", "WT", dice=0.5) for case in two_centers.cases))
    assert held_out_drop(scores, two_centers).empty


def test_a_split_says_that_a_centre_was_held_out():
    cases = [Case("a1", center="a", split="held-out"), Case("a2", center="a", split="Held out")]
    cases += [Case("b1", center="b", split="without_b"), Case("c1", center="c", split="fold_0")]
    cases += [
        Case("d1", center="d", split="external"),
        Case("d2", center="d", split="train"),
        Case("e1", split="external"),
    ]
    assert held_out_centers(Cohort(Path("x"), "", tuple(cases))) == {"a", "b"}

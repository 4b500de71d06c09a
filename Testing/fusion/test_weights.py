"""Weights by region: how they are kept, and which are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from BraTSRefineLib.fusion import FusionError, Weights, read_weights, split_hash

REGIONS = {"WT": {"a": 0.7, "b": 0.3}, "TC": {"a": 0.0, "b": 1.0}, "ET": {"b": 2}}


def kept(**changes: object) -> str:
    return json.dumps(json.loads(Weights(("a", "b", "c"), REGIONS).to_json()) | changes)


def test_what_is_written_is_read_again():
    weights = Weights(("a", "b"), REGIONS, "select", {"a": "labels"}, ("case 1",), "hash", 3, {"WT": {"gain": None}})
    assert read_weights(weights.to_json(), "here") == weights


def test_weights_come_in_the_order_of_the_models_that_are_asked_for():
    weights = Weights(("a", "b", "c"), REGIONS)
    assert np.array_equal(weights.of(["b", "a"]), [[0.3, 1.0, 2.0], [0.7, 0.0, 0.0]])
    assert weights.used == ["a", "b"]


def test_a_region_in_which_nobody_asked_for_has_weight_is_named():
    with pytest.raises(FusionError, match="no model that has weight in TC can be used; it takes one of b"):
        Weights(("a", "b"), REGIONS).of(["a"])
    with pytest.raises(FusionError, match="in WT can be used; it takes one of a, b"):
        Weights(("a", "b"), REGIONS).of([])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "w.json: not a file of weights"),
        ("[1]", "w.json: not a file of weights"),
        ('{"models": []}', "w.json: not a file of weights"),
        (kept(version=2), r"weights of version 2, this is 1: fit them again with fit-weights.*w.json"),
        (kept(regions={"WT": {"a": 1}}), "weights of TC, ET are missing: fit them again"),
        (kept(regions=REGIONS | {"WT": {"x": 1}}), "WT: weights of x, which is none of a, b, c"),
        (kept(regions=REGIONS | {"ET": {"a": 0}}), "ET: weights are numbers from 0 on, at least one above 0"),
        (kept(regions=REGIONS | {"ET": {"a": -1, "b": 2}}), "ET: weights are numbers from 0 on"),
        (kept(regions=REGIONS | {"ET": {"a": "much"}}), "ET: weights are numbers from 0 on"),
        (kept(regions=REGIONS | {"ET": [1]}), "weights that are damaged"),
        (kept(sources={"a": "logits"}), "weights of 'logits', expected probabilities or labels"),
        (kept(colour="red"), "weights that are damaged"),
    ],
)
def test_what_says_nothing_sound_is_refused(text, message):
    with pytest.raises(FusionError, match=message):
        read_weights(text, "w.json")


def test_the_hash_names_models_cases_persons_and_folds_whatever_the_order_of_the_cases():
    rows = [("A", "p", 0), ("B", "q", 1)]
    first = split_hash(["a", "b"], rows)
    assert first == split_hash(["a", "b"], rows[::-1])
    others = [split_hash(["a", "c"], rows), split_hash(["a", "b"], [("A", "p", 1), ("B", "q", 1)])]
    assert len({first, *others, split_hash(["a", "b"], [("A", "q", 0), ("B", "q", 1)])}) == 4

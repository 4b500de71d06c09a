"""What a view promises in its corner is seen in it: the outlines of reference and prediction in their colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from driving import press, wait_until
from host_stage import pixels
from PySide6.QtCore import Qt

TOLERANCE = 60


def drawn(host, tag: str) -> np.ndarray:
    """The picture of a view without its corners' lowest lines, ``(y, x, RGB)``."""
    picture = pixels(host.layoutManager.sliceWidget(tag).sliceView())
    return picture[: int(len(picture) * 0.8)].astype(int)


def count(picture: np.ndarray, colour: str) -> int:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(picture - wanted).max(axis=2) < TOLERANCE).sum())


def outlined(host) -> tuple[int, int]:
    """How many pixels have the reference's colour, and the prediction's."""
    from BraTSRefineUI import colours

    host.settle(400)
    picture = drawn(host, "BraTSRefineT1c")
    return count(picture, colours.REFERENCE), count(picture, colours.PREDICTION)


@pytest.mark.parametrize("key", [None, Qt.Key_N, Qt.Key_P])
def test_a_case_is_drawn_with_both_outlines_however_it_was_reached(host, bench, key):
    if key is not None:
        press(host, key)
    there = [bench.session.data.reference is not None, bench.session.data.prediction is not None]
    assert [pixels > 20 for pixels in outlined(host)] == there, bench.session.case


def test_another_region_is_outlined_in_its_turn(host, bench):
    bench.setRegion("WT")
    whole = outlined(host)
    bench.setRegion("ET")
    assert min(whole) > 20
    assert outlined(host) != whole


def test_another_model_is_outlined(host, bench):
    former = bench.session.model
    before = outlined(host)
    bench.setModel(next(model for model in bench.session.models if model != former))
    wait_until(host, lambda: bench.session.model != former)
    after = outlined(host)
    assert min(after) > 20
    assert after != before


def test_surfaces_in_3d_are_those_of_the_member_that_is_shown(host, bench):
    def picture():
        host.settle(600)
        return pixels(host.layoutManager.threeDWidget(0).threeDView())

    bench.setRegion("WT")
    chosen = picture()
    bench.views.goToMember(2)
    member = picture()
    assert (member != chosen).sum() > 100
    bench.views.goToMember(0)
    assert (picture() != chosen).sum() < (member != chosen).sum() / 10


def test_another_prediction_is_outlined_without_a_reference(host, bench):
    alone = replace(bench.session.data, reference=None)
    bench.caseScene.show(alone)
    bench.caseScene.show(replace(alone, prediction=replace(alone.prediction)))
    reference, prediction = outlined(host)
    assert reference < 20 < prediction


def test_outlines_that_are_toggled_off_are_not_drawn(host):
    press(host, Qt.Key_R)
    reference, prediction = outlined(host)
    press(host, Qt.Key_R)
    assert reference < 20 < prediction

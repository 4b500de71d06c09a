"""Adaptation as a part of predicting a case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import SmallModel, random_images, small_models

from BraTSRefineLib.inference import InferenceError, predict_case
from BraTSRefineLib.inference.adaptation_settings import METHODS

OPEN = replace(METHODS["tent"], quality=None, steps=2, rate=1e-2)


def test_each_model_is_adapted_to_the_case_and_the_same_again_afterwards():
    images, models = random_images(), small_models(2)
    before = predict_case(images, models, device="cpu")
    adapted = predict_case(images, models, adapt=OPEN, device="cpu")
    again = predict_case(images, models, device="cpu")
    assert before.adaptations is None
    assert list(adapted.adaptations) == ["model 0", "model 1"]
    assert all(report.entropy_after < report.entropy_before for report in adapted.adaptations.values())
    assert not np.array_equal(before.probability, adapted.probability)
    assert np.array_equal(before.probability, again.probability)


def test_what_adapted_a_cascades_first_stage_is_told_too():
    first = SmallModel("low", 3, "low")
    second = SmallModel("cascade", 4, "cascade", previous=(first,))
    assert list(predict_case(random_images(), [second], adapt=OPEN, device="cpu").adaptations) == ["low", "cascade"]


def test_an_adaptation_that_is_refused_predicts_as_without():
    images, models = random_images(), small_models(1)
    refused = predict_case(images, models, adapt=replace(OPEN, least_entropy=1.0), device="cpu")
    assert refused.adaptations["model 0"].guard == "confident"
    assert np.array_equal(refused.probability, predict_case(images, models, device="cpu").probability)


def test_a_network_that_cannot_be_adapted_is_named_with_the_case():
    (model,) = small_models(1)
    model.net = torch.nn.Conv3d(4, 4, 3, padding=1).eval()
    with pytest.raises(InferenceError, match=r"^a, model 0: no normalisation layer"):
        predict_case(random_images(), [model], adapt=OPEN, device="cpu")

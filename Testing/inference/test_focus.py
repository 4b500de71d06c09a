"""The fast modes: a single window, and tiles around what a coarse member found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_models import SOFTMAX, SmallModel, random_images, small_models

from BraTSRefineLib.inference import InferenceError, Prepared, Window, predict_case
from BraTSRefineLib.inference.augmentation import Flip
from BraTSRefineLib.inference.focus import MARGIN_MM, found_box, looked_at, on_prepared_grid, single_window


class Bright(torch.nn.Module):
    """Enhancing tumour where the first channel is 9; elsewhere background for certain. ``shift`` moves the logits."""

    def __init__(self, shift: float = 0.0) -> None:
        super().__init__()
        self.shift, self.tiles = shift, []

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        self.tiles.append(tuple(tiles.shape[2:]))
        tumour = torch.where(tiles[:, 0] == 9, 3.0 + self.shift, -20.0 + self.shift)
        zeros = torch.zeros_like(tumour)
        return torch.stack([zeros, zeros - 30, zeros - 30, tumour], 1)


def bright_case(shape=(40, 44, 42), spots=((30, 10, 8),)):
    images = random_images(shape)
    for spot in spots:
        images.channels["t1n"][spot] = 9
    return images


def bright_models(count: int = 3, **changes) -> list[SmallModel]:
    return [SmallModel(f"model {i}", net=Bright(0.1 * i), **changes) for i in range(count)]


def test_one_window_covers_everything_in_the_networks_multiples():
    window = Window((128, 128, 128), multiple=(32, 32, 32))
    assert single_window((145, 171, 130), window).patch == (160, 192, 160)
    assert single_window((100, 171, 130), window).patch == (128, 192, 160)
    assert single_window((100, 171, 130), Window((1, 128, 128), flat=True, multiple=(1, 16, 16))).patch == (1, 176, 144)


def test_no_single_window_where_the_multiple_is_unknown():
    with pytest.raises(InferenceError, match="no single window; use mode exact"):
        single_window((20, 20, 20), Window((16, 16, 16)))


def test_fast_window_is_exact_for_a_network_that_sees_a_voxel_at_a_time():
    images = bright_case()
    models = bright_models()
    exact, fast = (predict_case(images, models, device="cpu", mode=mode) for mode in ("exact", "fast-window"))
    assert np.array_equal(exact.label_map, fast.label_map)
    assert np.abs(exact.variance - fast.variance).max() < 1e-6
    assert models[0].net.tiles[-1] == (40, 44, 42)


def test_fast_roi_looks_once_everywhere_and_then_around_the_finding():
    images, models = bright_case(), bright_models()
    exact = predict_case(images, models, device="cpu", tta=[Flip(), Flip((0,))])
    for model in models:
        model.net.tiles.clear()
    fast = predict_case(images, models, device="cpu", tta=[Flip(), Flip((0,))], mode="fast-roi")
    tiles = [len(model.net.tiles) for model in models]
    assert tiles[0] > sum(tiles[1:])
    assert np.array_equal(exact.label_map, fast.label_map)
    spot = (slice(None), 30, 10, 8)
    assert np.abs(fast.variance[spot] - exact.variance[spot]).max() < 1e-6
    assert np.abs(fast.probability[spot] - exact.probability[spot]).max() < 1e-6


def test_beyond_the_focus_the_coarse_member_speaks_alone():
    images, models = bright_case(), bright_models()
    coarse = predict_case(images, models[:1], device="cpu")
    fast = predict_case(images, models, device="cpu", mode="fast-roi")
    far = (slice(None), slice(0, 10))
    assert np.array_equal(fast.probability[far], coarse.probability[far])
    assert not fast.variance[far].any()
    assert np.array_equal(fast.expected_entropy[far], coarse.expected_entropy[far])


def test_where_nothing_is_found_no_other_member_looks():
    models = bright_models()
    told = []
    fast = predict_case(
        random_images((40, 44, 42)),
        models,
        device="cpu",
        tta="flips",
        mode="fast-roi",
        on_pass=lambda *one: told.append(one),
    )
    assert fast.members == ("model 0, identity",)
    assert not fast.labels.any()
    assert not models[1].net.tiles
    assert len(told) == told[-1][0] == len(models[0].net.tiles)


@pytest.mark.parametrize("spots", [((30, 10, 8),), ((2, 3, 4), (38, 40, 41))])
def test_progress_of_fast_roi_ends_at_its_total(spots):
    told = []
    predict_case(
        bright_case(spots=spots),
        bright_models(),
        device="cpu",
        tta="flips",
        mode="fast-roi",
        on_pass=lambda *one: told.append(one),
    )
    assert told[-1][0] == told[-1][1] == len(told)


def test_fast_roi_of_a_scattered_tumour_is_exact():
    images, models = bright_case((18, 20, 19), ((2, 3, 4), (15, 18, 17))), small_models(2)
    settings = {"device": "cpu", "tta": "flips"}
    exact, fast = (predict_case(images, models, mode=mode, **settings) for mode in ("exact", "fast-roi"))
    assert np.array_equal(exact.label_map, fast.label_map)
    assert np.abs(exact.variance - fast.variance).max() < 1e-6


def test_fast_roi_over_groups_with_other_axes_and_boxes():
    images = bright_case()
    flat = Window((1, 16, 16), flat=True)
    box = (slice(0, 40), slice(4, 44), slice(2, 40))
    second = SmallModel("flat", group="flat", window=flat, axes=(2, 0, 1), box=box, net=Bright(0.5), mirror_axes=(1, 2))
    second.net.forward = lambda tiles: Bright(0.5)(tiles[:, :, None])[:, :, 0]
    models = [*bright_models(2), second]
    exact, fast = (predict_case(images, models, device="cpu", mode=mode) for mode in ("exact", "fast-roi"))
    assert np.array_equal(exact.label_map, fast.label_map)
    spot = (slice(None), 30, 10, 8)
    assert np.abs(fast.variance[spot] - exact.variance[spot]).max() < 1e-6
    elsewhere = SmallModel("far", group="far", box=(slice(0, 16), slice(28, 44), slice(26, 42)), net=Bright(1.0))
    fast = predict_case(images, [*models, elsewhere], device="cpu", mode="fast-roi")
    assert "far, identity" not in fast.members
    assert np.array_equal(exact.label_map, fast.label_map)


def test_fast_roi_needs_the_unchanged_case():
    with pytest.raises(InferenceError, match="looks at the unchanged case first"):
        predict_case(bright_case(), bright_models(), device="cpu", tta=[Flip((0,))], mode="fast-roi")


def test_an_identity_of_another_weight_is_the_unchanged_case_too():
    weighted = replace(Flip(), weight=0.5)
    fast = predict_case(bright_case(), bright_models(), device="cpu", tta=[Flip((0,)), weighted], mode="fast-roi")
    assert fast.members[0] == "model 0, identity"
    assert fast.labels.any()


def test_the_found_box_holds_what_any_region_has_and_no_haze():
    probability = torch.full((3, 60, 60, 60), 0.05)
    probability[1, 30, 20, 2] = 0.2
    probability[0, 31, 20, 3] = 0.2
    assert found_box(probability) == (slice(30, 32), slice(20, 21), slice(2, 4))
    assert found_box(torch.full((3, 4, 4, 4), 0.05)) is None


def prepared(size, axes, box) -> Prepared:
    return Prepared(torch.zeros(1, *size), (1.0, 1.0, 1.0), axes, box, lambda values: values)


def test_a_box_in_voxels_of_the_prepared_data():
    box = (slice(10, 50), slice(0, 40), slice(20, 60))
    half = prepared((20, 40, 40), (0, 1, 2), box)
    assert on_prepared_grid((slice(20, 30), slice(5, 9), slice(20, 25)), half) == (
        slice(4, 11),
        slice(4, 10),
        slice(0, 6),
    )
    turned = prepared((40, 20, 40), (2, 0, 1), box)
    assert on_prepared_grid((slice(20, 30), slice(5, 9), slice(20, 25)), turned) == (
        slice(0, 6),
        slice(4, 11),
        slice(4, 10),
    )
    assert on_prepared_grid((slice(0, 5), slice(5, 9), slice(20, 25)), half) is None


def test_members_look_at_one_patch_or_at_the_box_with_a_margin_in_mm():
    assert MARGIN_MM == 10
    box = (slice(0, 4), slice(18, 20), slice(3, 40))
    assert looked_at(box, (2.0, 2.0, 4.0), (40, 20, 60), (16, 16, 16)) == (slice(0, 16), slice(4, 20), slice(0, 43))
    nearly = (slice(10, 25),) * 3
    assert looked_at(nearly, (1.0, 1.0, 1.0), (40, 40, 40), (16, 16, 16)) == (slice(9, 25),) * 3
    assert looked_at((slice(2, 4),) * 3, (1.0, 1.0, 1.0), (8, 8, 8), (16, 16, 16)) == (slice(0, 8),) * 3


def test_regions_of_the_head_in_use():
    assert predict_case(bright_case(), bright_models(1), device="cpu").regions == tuple(SOFTMAX.regions)

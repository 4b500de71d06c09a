"""The sliding window against nnU-Net's predictor and MONAI's, and what it does when memory runs out."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import nnunetv2.inference.predict_from_raw_data as nnunet
import pytest
import torch
from monai.inferers import sliding_window_inference
from small_models import CPU, small_network

from BraTSRefineLib.inference import InferenceError, Window
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip, flips
from BraTSRefineLib.inference.engine import Engine, Pace, tiled

SHAPES = [(20, 25, 18), (9, 30, 16), (7, 11, 12)]


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


def volume(shape, seed: int = 0) -> torch.Tensor:
    return torch.randn(4, *shape, generator=torch.Generator().manual_seed(seed))


def logits_of(network, data, window, augmentation=IDENTITY, **settings) -> torch.Tensor:
    return Engine(CPU, **settings).logits(network, 4, tiled(data, window), augmentation, None)


def nnunet_logits(monkeypatch, network, data, patch, mirror_axes) -> torch.Tensor:
    """nnU-Net's own sliding window, its sums in 32 bits as ours are."""
    predictor = nnunet.nnUNetPredictor(device=CPU, use_mirroring=bool(mirror_axes), allow_tqdm=False)
    predictor.network = network
    predictor.allowed_mirroring_axes = mirror_axes
    predictor.configuration_manager = SimpleNamespace(patch_size=patch)
    predictor.label_manager = SimpleNamespace(num_segmentation_heads=4)
    monkeypatch.setattr(nnunet, "compute_gaussian", partial(nnunet.compute_gaussian, dtype=torch.float32))
    with monkeypatch.context() as patched:
        patched.setattr(torch, "half", torch.float32)
        return predictor.predict_sliding_window_return_logits(data)


@pytest.mark.parametrize("shape", SHAPES)
def test_mean_over_flips_is_nnunets(monkeypatch, shape):
    network, data = small_network(1), volume(shape)
    ours = torch.stack([logits_of(network, data, Window((12, 16, 16)), flip) for flip in flips()]).mean(0)
    theirs = nnunet_logits(monkeypatch, network, data, (12, 16, 16), (0, 1, 2))
    assert theirs.dtype == torch.float32
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_slices_are_nnunets(monkeypatch, shape):
    network, data = small_network(2, flat=True), volume(shape)
    window = Window((1, 16, 16), flat=True)
    ours = torch.stack([logits_of(network, data, window, flip) for flip in flips((1, 2))]).mean(0)
    theirs = nnunet_logits(monkeypatch, network, data, (16, 16), (0, 1))
    assert (ours - theirs).abs().max() < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["gaussian", "constant"])
@pytest.mark.parametrize("overlap", [0.25, 0.5])
def test_monai_placing_is_monais(shape, mode, overlap):
    network, data = small_network(3), volume(shape)
    ours = logits_of(network, data, Window((12, 16, 16), 1 - overlap, "monai", mode))
    theirs = sliding_window_inference(data[None], (12, 16, 16), 2, network, overlap, mode)[0]
    assert (ours - theirs).abs().max() < 1e-5


def test_the_number_of_tiles_at_once_does_not_matter():
    network, data = small_network(4), volume((20, 25, 18))
    one, three = (logits_of(network, data, Window((12, 16, 16)), tiles_at_once=count) for count in (1, 3))
    assert (one - three).abs().max() < 1e-5


@pytest.mark.parametrize("flip", flips(), ids=lambda flip: flip.name)
def test_a_flip_of_the_case_is_undone_by_the_same_flip(flip):
    network = small_network(5)
    data = volume((16, 28, 22))
    window = Window((16, 16, 16), blending="constant")
    flipped_case = logits_of(network, flip.apply(data, None), window, flip)
    assert (flip.invert(flipped_case, None) - logits_of(network, data, window)).abs().max() < 1e-5


class LimitedMemory(torch.nn.Module):
    """Takes so many tiles at once and no more."""

    def __init__(self, tiles: int) -> None:
        super().__init__()
        self.tiles, self.asked = tiles, []
        self.network = small_network(6)

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(tiles))
        if len(tiles) > self.tiles:
            raise torch.OutOfMemoryError("out of memory")
        return self.network(tiles)


def test_out_of_memory_halves_the_tiles_and_goes_on():
    data, window = volume((20, 24, 18)), Window((16, 16, 16))
    network = LimitedMemory(2)
    engine = Engine(CPU, tiles_at_once=8)
    logits = engine.logits(network, 4, tiled(data, window), IDENTITY, None)
    assert network.asked == [8, 4, 2, 2, 2, 2]
    assert (logits - logits_of(network.network, data, window)).abs().max() < 1e-5
    engine.logits(network, 4, tiled(data, window), IDENTITY, None)
    assert max(network.asked[6:]) == 2


def test_no_memory_for_a_single_tile_is_an_error_that_says_so():
    with pytest.raises(InferenceError, match="cpu does not suffice for one tile of 12x16x16 voxels"):
        logits_of(LimitedMemory(0), volume((20, 25, 18)), Window((12, 16, 16)))


def test_a_network_that_gives_another_shape_is_refused():
    strided = torch.nn.Conv3d(4, 4, 2, stride=2)
    with pytest.raises(InferenceError, match="into 4x6x8x8, expected 4 channels of the same size"):
        logits_of(strided, volume((12, 16, 16)), Window((12, 16, 16)))
    with pytest.raises(InferenceError, match="into 2x12x16x16, expected 4 channels"):
        logits_of(small_network(0, 2), volume((12, 16, 16)), Window((12, 16, 16)))


def test_a_network_that_fails_is_an_error_with_its_reason():
    with pytest.raises(InferenceError, match=r"fails on tiles of 4x12x16x16: .*channels"):
        logits_of(small_network(0, inputs=2), volume((12, 16, 16)), Window((12, 16, 16)))


def test_the_pace_is_asked_before_and_told_after_each_pass():
    story = []
    pace = Pace(lambda: story.append("check"), lambda tiles: story.append(tiles))
    logits_of(small_network(0), volume((12, 16, 40)), Window((12, 16, 16)), tiles_at_once=3, pace=pace)
    assert story == ["check", 3, "check", 1]


def test_stopping_between_passes():
    class Stopped(Exception):
        pass

    def stop():
        raise Stopped

    with pytest.raises(Stopped):
        logits_of(small_network(0), volume((12, 16, 16)), Window((12, 16, 16)), pace=Pace(stop))


def test_what_changes_the_network_is_entered_once_a_member():
    entered = []

    class Noticed(Flip):
        @contextmanager
        def during(self, network):
            entered.append(network)
            yield

    network = small_network(0)
    logits_of(network, volume((12, 16, 40)), Window((12, 16, 16)), Noticed())
    assert entered == [network]

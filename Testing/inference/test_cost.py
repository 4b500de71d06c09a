"""What a prediction costs, beforehand: the number of passes is that of the run itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from adaptation_cases import normalised_network, prepared_case, trained
from small_models import CPU, SmallModel, random_images, small_models

from BraTSRefineLib.inference import InferenceError, PredictSession, Window, adaptation_cost
from BraTSRefineLib.inference.adaptation import adapted
from BraTSRefineLib.inference.adaptation_settings import METHODS
from BraTSRefineLib.inference.augmentation import flips
from BraTSRefineLib.inference.cost import Cost, forward_passes, usual_time
from BraTSRefineLib.inference.device import chosen_device, fastest_convolutions, in_words, slowness
from BraTSRefineLib.inference.groups import grouped
from BraTSRefineLib.inference.tiles import tile_count

FLAT = Window((1, 16, 16), flat=True, multiple=(1, 2, 2))


def passes_made(models, images, **settings) -> int:
    told = []
    with PredictSession(models, device="cpu", on_pass=lambda *one: told.append(one), **settings) as session:
        session.predict(images)
    return told[-1][0]


@pytest.mark.parametrize("mode", ["exact", "fast-window"])
def test_expected_passes_are_those_made(mode):
    images = random_images((5, 16, 17))
    models = [*small_models(2), SmallModel("flat", group="flat", window=FLAT, mirror_axes=(1, 2))]
    with PredictSession(models, tta="flips", mode=mode, device="cpu") as session:
        cost = session.cost(images, timed=False)
    assert cost.passes == passes_made(models, images, tta="flips", mode=mode)
    assert cost.members == 2 * 8 + 4
    assert cost.seconds is None


def test_a_cascades_first_stage_is_counted():
    images = random_images((16, 16, 17))
    models = [SmallModel("second", 1, "second", previous=(SmallModel("first", 0, "first"),))]
    with PredictSession(models, device="cpu") as session:
        cost = session.cost(images)
    assert (cost.members, cost.passes) == (2, passes_made(models, images))
    assert cost.seconds > 0


def test_fast_roi_is_expected_to_need_one_tile_a_member():
    groups = grouped(small_models(5), flips())
    sizes = {"small": (30, 30, 30)}
    assert forward_passes(groups, sizes) == {"small": 40 * 27}
    assert forward_passes(groups, sizes, "fast-roi") == {"small": 27 + 39}


def test_five_folds_and_eight_flips_of_a_brain_are_320_passes():
    groups = grouped(small_models(5, window=Window((128, 128, 128))), flips())
    assert forward_passes(groups, {"small": (145, 171, 130)}) == {"small": 320}


def test_memory_does_not_grow_with_the_number_of_members():
    images = random_images((16, 16, 17))
    memory = []
    for models, tta in ((small_models(1), "none"), (small_models(5), "flips")):
        with PredictSession(models, tta=tta, device="cpu") as session:
            memory.append(session.cost(images).memory)
    assert memory[0] == memory[1] > 4 * images.channels["t1n"].size * 10


def test_the_cost_in_words():
    assert str(Cost(40, 320, 750.0, 3_100_000_000)) == (
        "320 forward passes of 40 members, about 12 minutes, 3.1 GB a case"
    )
    assert str(Cost(1, 8, None, 500_000_000)) == "8 forward passes of 1 member, 0.5 GB a case"


def test_without_a_gpu_the_expected_time_is_said():
    assert "about 12 minutes a case" in slowness(CPU, 750)
    assert "minutes to hours a case" in slowness(CPU)
    assert slowness(torch.device("cuda")) == ""


def test_convolutions_are_tuned_on_a_gpu_alone_and_only_meanwhile():
    with fastest_convolutions(torch.device("cuda")):
        assert torch.backends.cudnn.benchmark
    with fastest_convolutions(CPU):
        assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.benchmark


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 second"), (40, "40 seconds"), (750, "12 minutes"), (12600, "3.5 hours")]
)
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_device_is_chosen_by_its_name():
    assert chosen_device("cpu") == CPU
    assert chosen_device().type in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("name", "of_torch"),
    [
        ("nonsense", RuntimeError),
        ("cuda:99", (RuntimeError, AssertionError)),  # the latter where torch was built without CUDA
        ("fpga", NotImplementedError),  # which is a RuntimeError
        ("mtia", AssertionError),
        ("hpu", ImportError),
    ],
)
def test_a_device_that_is_not_there_is_refused(name, of_torch):
    with pytest.raises(of_torch):
        torch.empty(1, device=name)
    with pytest.raises(InferenceError, match=f"device '{name}' cannot be used .*; choose auto, cpu or cuda"):
        chosen_device(name)


def test_a_device_without_values_is_refused():
    with pytest.raises(InferenceError, match="device 'meta' cannot be used"):
        chosen_device("meta")


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("method", METHODS)
def test_the_passes_of_an_adaptation_are_those_made_where_each_step_is_taken_at_once(method, dropout, monkeypatch):
    torch.manual_seed(0)
    model = SmallModel(net=trained(normalised_network(torch.nn.InstanceNorm3d(8, affine=True), dropout=dropout)))
    prepared, _ = prepared_case(shape=(16, 16, 24))
    monkeypatch.setattr(adaptation_cost, "BACKWARD", 0)
    settings = replace(METHODS[method], steps=3, rate=1e-5, quality=None)
    made = []
    model.net.register_forward_pre_hook(lambda *_: made.append(1))
    with adapted(model, prepared, settings, CPU) as report:
        pass
    told = adaptation_cost.adaptation_passes(settings, [model], prepared, dropout > 0)
    assert report.steps == 3
    again = tile_count(prepared.data.shape[1:], model.window) if report.chosen_step == 0 else 0
    assert len(made) == told - again


def test_adapting_is_told_in_the_cost():
    images, models = random_images((16, 16, 17)), small_models(2)
    costs = []
    for adapt in (None, METHODS["tent"]):
        with PredictSession(models, device="cpu", adapt=adapt) as session:
            costs.append(session.cost(images))
    plain, adapting = costs
    assert (plain.adapting, plain.passes, plain.members) == (0, adapting.passes, adapting.members)
    assert adapting.adapting > adapting.passes
    assert adapting.seconds > plain.seconds
    assert adapting.memory >= plain.memory
    assert f"and at most {adapting.adapting} to adapt the models, about" in str(adapting)


@pytest.mark.parametrize(
    ("passes", "expected", "calls"),
    [
        ([0.5, 4.0, 0.7], 0.7, 3),
        ([0.5, 40.0, 0.7], 0.5, 2),
        ([90.0, 0.6, 0.5], 90.0, 1),
        ([1.0, 5.5, 0.5], 1.0, 2),
        ([2.0, 2.0, 2.0], 2.0, 3),
    ],
    ids=["one disturbed", "one much disturbed", "long enough at once", "enough after two", "all alike"],
)
def test_a_pass_is_timed_several_times_and_not_for_long(passes, expected, calls):
    now, done = 0.0, []

    def work() -> None:
        nonlocal now
        now += passes[len(done)]
        done.append(now)

    assert usual_time(work, lambda: now) == pytest.approx(expected)
    assert len(done) == calls

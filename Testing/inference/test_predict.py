"""One case through an ensemble: labels from mean logits, moments from members' probabilities, cascades, sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from small_models import BRATS, CPU, MAPS, SIGMOID, SOFTMAX, SmallModel, random_images, small_models, small_network

from BraTSRefineLib.inference import CaseImages, Head, InferenceError, PredictSession, Window, predict_case
from BraTSRefineLib.inference import predict_cases as predict_all
from BraTSRefineLib.inference.augmentation import IDENTITY, Flip, flips
from BraTSRefineLib.inference.engine import Engine, tiled
from BraTSRefineLib.regions import CONVENTIONS


@pytest.fixture(scope="module")
def images() -> CaseImages:
    return random_images((18, 20, 17))


def predicted(images, models, **settings):
    return predict_case(images, models, device="cpu", **settings)


def members_logits(images, models, augmentations) -> np.ndarray:
    """``(model, augmentation, channel, z, y, x)`` by the engine alone."""
    with torch.inference_mode():
        members = []
        for model in models:
            prepared = model.prepare(images)
            case, network = tiled(prepared.data, model.window), model.network(CPU)
            all_of_model = [
                prepared.to_box(Engine(CPU).logits(network, model.head.channels, case, augmentation, prepared))
                for augmentation in augmentations
            ]
            members.append(torch.stack(all_of_model))
        return torch.stack(members).double().numpy()


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-4, keepdims=True))
    return powers / powers.sum(-4, keepdims=True)


def region_stack(channels: np.ndarray) -> np.ndarray:
    groups = [list(SOFTMAX.regions[region]) for region in ("WT", "TC", "ET")]
    return np.stack([channels[..., group, :, :, :].sum(-4) for group in groups], axis=-4)


def test_labels_come_from_the_mean_logit_and_maps_from_the_members_probabilities(images):
    models = small_models(3)
    prediction = predicted(images, models, tta="flips")
    logits = members_logits(images, models, flips())
    label_map = logits.mean((0, 1)).argmax(0)
    assert np.array_equal(prediction.label_map, label_map)
    assert np.array_equal(prediction.labels, BRATS.masks(label_map))
    probability = region_stack(softmax(logits))
    assert np.abs(prediction.probability - probability.mean((0, 1))).max() < 1e-5
    assert np.abs(prediction.variance - probability.var((0, 1))).max() < 1e-5
    assert np.abs(prediction.within_model - probability.var(1).mean(0)).max() < 1e-5
    assert np.abs(prediction.between_model - probability.mean(1).var(0)).max() < 1e-5
    assert ((prediction.probability > 0.5) != prediction.labels).any()


@pytest.mark.parametrize("uncertainty", [True, False])
def test_each_of_several_models_has_its_own_labels_of_its_mean_probability(images, uncertainty):
    models = small_models(3)
    prediction = predicted(images, models, tta="flips", uncertainty=uncertainty)
    assert list(prediction.own_labels) == [model.name for model in models]
    for model in models:
        alone = predicted(images, [model], tta="flips")
        own = prediction.own_labels[model.name]
        assert own.dtype == np.uint8 and own.shape == images.shape
        assert np.array_equal(BRATS.masks(own, ("ET",)), alone.probability[2:] > 0.5)
        assert alone.own_labels is None
    first, *others = prediction.own_labels.values()
    assert not any(np.array_equal(first, other) for other in others)


def test_a_sigmoid_head_paints_its_labels_in_order(images):
    models = small_models(2, head=SIGMOID)
    prediction = predicted(images, models)
    mean = members_logits(images, models, [IDENTITY]).mean((0, 1))
    expected = np.zeros(images.shape, np.uint8)
    for channel, label in zip(mean, SIGMOID.order, strict=True):
        expected[channel > 0] = label
    assert np.array_equal(prediction.label_map, expected)
    assert prediction.labels[0].sum() >= prediction.labels[1].sum()


def test_shapes_types_and_names(images):
    prediction = predicted(images, small_models(2), tta=flips((0,)))
    assert prediction.case == "a"
    assert prediction.regions == ("WT", "TC", "ET")
    assert prediction.labels.dtype == bool and prediction.labels.shape == (3, *images.shape)
    assert prediction.label_map.dtype == np.uint8 and prediction.label_map.shape == images.shape
    assert prediction.members == (
        "model 0, identity",
        "model 0, flip a",
        "model 1, identity",
        "model 1, flip a",
    )
    for name in MAPS:
        values = getattr(prediction, name)
        assert values.dtype == np.float32 and values.shape == (3, *images.shape)


def test_the_same_network_twice_has_no_variance(images):
    twins = [SmallModel("a"), SmallModel("b")]
    prediction = predicted(images, twins)
    assert not prediction.variance.any()
    assert prediction.mutual_information.max() < 1e-6


def test_the_order_of_models_does_not_matter(images):
    models = small_models(3)
    forwards, backwards = predicted(images, models), predicted(images, models[::-1])
    assert np.array_equal(forwards.label_map, backwards.label_map)
    for name in MAPS:
        assert np.abs(getattr(forwards, name) - getattr(backwards, name)).max() < 1e-5


def test_only_the_mean_on_request(images):
    models = small_models(2)
    mean, everything = predicted(images, models, uncertainty=False), predicted(images, models)
    assert np.abs(mean.probability - everything.probability).max() < 1e-6
    assert np.array_equal(mean.label_map, everything.label_map)
    assert all(getattr(mean, name) is None for name in MAPS[1:])


def test_outside_the_box_all_is_background_and_certain(images):
    box = (slice(2, 18), slice(0, 17), slice(1, 17))
    prediction = predicted(images, small_models(2, box=box))
    outside = np.ones(images.shape, bool)
    outside[box] = False
    assert prediction.label_map[box].any() and not prediction.label_map[outside].any()
    for name in MAPS:
        assert not getattr(prediction, name)[:, outside].any()


def test_transposed_preparation_gives_values_in_the_cases_axes(images):
    network = torch.nn.Conv3d(4, 4, 1).eval()
    straight, transposed = (SmallModel(net=network, axes=axes) for axes in ((0, 1, 2), (2, 0, 1)))
    expected = predicted(images, [straight]).probability
    assert np.abs(predicted(images, [transposed]).probability - expected).max() < 1e-5


def test_a_case_smaller_than_the_patch(images):
    small = random_images((9, 20, 11))
    prediction = predicted(small, small_models(1), tta="flips")
    assert prediction.label_map.shape == (9, 20, 11)
    assert np.isfinite(prediction.probability).all()


def test_only_flips_that_training_mirrored(images):
    models = [SmallModel("left-right", mirror_axes=(2,)), SmallModel("flat", 1, "flat", mirror_axes=(0, 1, 2))]
    models[1].window = Window((1, 16, 16), flat=True)
    members = predicted(images, models, tta="flips").members
    assert [name for name in members if name.startswith("left")] == ["left-right, identity", "left-right, flip c"]
    assert [name.split(", ")[1] for name in members if name.startswith("flat")] == [
        "identity",
        "flip b",
        "flip c",
        "flip bc",
    ]
    with pytest.raises(InferenceError, match="none of the flips was part of its training"):
        predicted(images, models[:1], tta=[Flip((0,))])


def test_groups_with_equal_heads_vote_by_the_mean_of_their_probabilities(images):
    first, second = SmallModel("a", 0, "a"), SmallModel("b", 1, "b", window=Window((1, 16, 16), flat=True))
    prediction = predicted(images, [first, second])
    channels = [softmax(members_logits(images, [model], [IDENTITY])[0, 0]) for model in (first, second)]
    assert np.array_equal(prediction.label_map, np.mean(channels, 0).argmax(0))


def test_groups_with_other_heads_vote_by_region(images):
    order = SmallModel("sigmoid", 1, "b", head=SIGMOID)
    prediction = predicted(images, [SmallModel("softmax", 0, "a"), order])
    expected = np.mean([predicted(images, [m]).probability for m in (SmallModel("softmax", 0, "a"), order)], 0)
    assert np.array_equal(prediction.label_map, BRATS.paint(expected > 0.5))
    assert np.abs(prediction.probability - expected).max() < 1e-5


def test_groups_with_other_boxes_meet_on_the_case(images):
    left = SmallModel("left", 0, "left", box=(slice(0, 18), slice(0, 20), slice(0, 9)))
    right = SmallModel("right", 1, "right", box=(slice(0, 18), slice(0, 20), slice(5, 17)))
    prediction = predicted(images, [left, right])
    alone = [predicted(images, [model]) for model in (left, right)]
    assert np.abs(prediction.probability - np.mean([one.probability for one in alone], 0)).max() < 1e-6
    assert np.abs(prediction.variance - np.var([one.probability for one in alone], 0)).max() < 1e-6
    assert not prediction.label_map[..., :5][prediction.probability[0, ..., :5] < 0.49].any()


def test_regions_are_those_that_all_models_know(images):
    whole = Head("sigmoid", 1, {"WT": (0,)}, BRATS, (2,))
    prediction = predicted(images, [SmallModel("a", 0, "a"), SmallModel("b", 1, "b", head=whole)])
    assert prediction.regions == ("WT",)
    assert prediction.probability.shape[0] == 1
    only_core = Head("sigmoid", 1, {"TC": (0,)}, BRATS, (1,))
    with pytest.raises(InferenceError, match=r"no region in common.*b: WT; c: TC"):
        predicted(images, [SmallModel("b", 1, "b", head=whole), SmallModel("c", 2, "c", head=only_core)])


def test_tissues_of_their_own_keep_their_place(images):
    convention = CONVENTIONS["brats2024-gli"]
    regions = {"ET": (2,), "RC": (3,), "WT": (0,), "TC": (1,)}
    head = Head("sigmoid", 4, regions, convention)
    prediction = predicted(images, small_models(1, head=head))
    assert prediction.regions == ("WT", "TC", "ET", "RC")
    assert np.array_equal(prediction.labels[3], prediction.probability[3] > 0.5)
    assert set(np.unique(prediction.label_map)) == {0, 1, 2, 3, 4}


def test_a_cascade_is_given_the_label_map_of_its_first_stage(images):
    first = SmallModel("low", 3, "low")
    second = SmallModel("cascade", 4, "cascade", previous=(first,))
    prediction = predicted(images, [second], tta="flips")
    assert np.array_equal(second.prepared_with[0], predicted(images, [first], tta="flips").label_map)
    assert prediction.members[0] == "cascade, identity" and len(prediction.members) == 8


def test_a_first_stage_sees_what_its_label_comes_from_and_no_more(images):
    first = SmallModel("low", 3, "low")
    second = SmallModel("cascade", 4, "cascade", previous=(first,))
    told = []
    predicted(images, [second], tta=[IDENTITY, Shift()], on_pass=lambda *one: told.append(one))
    assert {words for _, _, words in told} == {"low, identity", "cascade, identity", "cascade, shift"}
    with PredictSession([second], tta=[IDENTITY, Shift()], device="cpu") as session:
        assert session.cost(images, timed=False).passes == len(told)


def test_values_that_are_not_finite_are_named(images):
    broken = small_network(0)
    broken[3].bias.data[1] = torch.nan
    with pytest.raises(InferenceError, match=r"^a, model 0, identity: .*not finite"):
        predicted(images, [SmallModel(net=broken)])


def test_a_network_that_fails_is_named_with_the_case(images):
    with pytest.raises(InferenceError, match=r"^a, model 0, identity: the network fails on tiles of 4x16x16x16"):
        predicted(images, [SmallModel(net=small_network(0, inputs=3))])


def test_no_memory_for_the_sums_is_an_error(images):
    class NoMemory(SmallModel):
        def prepare(self, images, previous=None):
            raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(InferenceError, match="a: the memory of cpu does not suffice for the sums of a whole case"):
        predicted(images, [NoMemory()])


@pytest.mark.parametrize(
    ("models", "settings", "message"),
    [
        ([], {}, "no model was given"),
        (small_models(1), {"tta": "turns"}, "unknown test-time augmentation 'turns'; use one of none, flips"),
        (small_models(1), {"tta": []}, "no augmentation was given"),
        (small_models(1), {"mode": "quick"}, "unknown mode 'quick'; use one of exact, fast-window, fast-roi"),
        (small_models(1), {"device": "tpu"}, "device 'tpu' cannot be used"),
        ([SmallModel("a"), SmallModel("b", head=SIGMOID)], {}, "b and a both belong to small, but differ"),
    ],
)
def test_settings_that_cannot_be_are_refused(images, models, settings, message):
    with pytest.raises(InferenceError, match=message):
        predict_case(images, models, **({"device": "cpu"} | settings))


@dataclass(frozen=True)
class Shift:
    """Moves everything by one voxel along the last axis; where the border came in it cannot be trusted."""

    name: str = "shift"
    weight: float = 1.0
    per_tile = False

    def apply(self, data, prepared):
        return data.roll(1, -1)

    def invert(self, values, prepared):
        return values.roll(-1, -1)

    def coverage(self, prepared):
        seen = torch.ones(prepared.data.shape[1:], dtype=torch.bool)
        seen[..., -1] = False
        return seen


def test_what_interpolates_is_part_of_the_moments_and_not_of_the_label(images):
    models = small_models(2)
    plain, shifted = predicted(images, models), predicted(images, models, tta=[IDENTITY, Shift()])
    assert np.array_equal(plain.label_map, shifted.label_map)
    assert shifted.within_model[..., :-1].any()
    assert not shifted.within_model[..., -1].any()
    assert np.abs(shifted.probability[..., -1] - plain.probability[..., -1]).max() < 1e-6
    with pytest.raises(InferenceError, match="the label comes from unchanged or flipped images alone"):
        predicted(images, models, tta=[Shift()])


def test_progress_ends_at_its_total_and_names_the_member(images):
    told = []
    predicted(images, small_models(2), tta="flips", on_pass=lambda *one: told.append(one))
    assert [done for done, _, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, total, _ in told} == {len(told)} == {2 * 8 * 8}
    assert told[-1][2] == "model 1, flip abc"


def test_cancelling_stops_before_the_next_pass(images):
    class Cancelled(Exception):
        pass

    done = []

    def check():
        if len(done) == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        predicted(images, small_models(2), on_pass=lambda *one: done.append(one), check=check)
    assert len(done) == 5


def test_a_session_keeps_its_networks_and_lets_them_go_at_the_end(images):
    models = small_models(2)
    with PredictSession(models, device="cpu") as session:
        first = session.predict(images)
        networks = [model.net for model in models]
        second = session.predict(replace(images, case="b"))
        assert [model.net for model in models] == networks
    assert np.array_equal(first.label_map, second.label_map) and second.case == "b"
    assert all(model.released for model in models)


def test_the_next_case_is_read_while_one_is_at_work(images):
    story = []

    def reader(name):
        def read():
            story.append(f"read {name}")
            return replace(images, case=name)

        return read

    models = small_models(1)
    for prediction in predict_all([reader(name) for name in "abc"], models, device="cpu"):
        story.append(f"predicted {prediction.case}")
    assert [entry for entry in story if entry.startswith("predicted")] == ["predicted a", "predicted b", "predicted c"]
    assert story.index("read b") < story.index("predicted a")
    assert story.index("read c") > story.index("read b")
    assert models[0].released


def test_a_case_that_cannot_be_read_does_not_take_the_others_along(images):
    def unreadable():
        raise InferenceError("b: no such file")

    with PredictSession(small_models(1), device="cpu") as session:
        futures = session.read_ahead([lambda: images, unreadable, lambda: replace(images, case="c")])
        outcomes = []
        for future in futures:
            try:
                outcomes.append(session.predict(future.result()).case)
            except InferenceError as error:
                outcomes.append(str(error))
    assert outcomes == ["a", "b: no such file", "c"]


def test_importing_the_room_offers_everything_by_name():
    import BraTSRefineLib.inference as room

    assert all(hasattr(room, name) for name in room.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = room.nothing

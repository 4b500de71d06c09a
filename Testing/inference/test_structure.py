"""Agreement of the members on whole structures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from BraTSRefineLib.inference import InferenceError
from BraTSRefineLib.inference.structure import (
    Bits,
    StructureSamples,
    mean_pairwise_dice,
    packed,
    shared_voxels,
    together,
)


def samples_of(*members, regions=("WT",), voxel_volume=2.0):
    samples = StructureSamples(regions, voxel_volume)
    for member in members:
        samples.add(member)
    return samples


def a_box(side, shape=(12, 11, 13)):
    mask = torch.zeros((1, *shape), dtype=torch.bool)
    mask[:, 1 : 1 + side, 1 : 1 + side, 1 : 1 + side] = True
    return mask


def test_volumes_and_their_variation():
    found = samples_of(a_box(2), a_box(4)).agreement()["WT"]
    assert (found.members, found.mean_volume, found.volume_sd) == (2, 72.0, 56.0)
    assert found.volume_variation == pytest.approx(56 / 72)
    assert not found.few_voxels


def test_dice_of_nested_boxes():
    assert samples_of(a_box(2), a_box(4)).agreement()["WT"].pairwise_dice == pytest.approx(2 * 8 / (8 + 64))


def test_members_that_agree_do_so_fully():
    found = samples_of(a_box(3), a_box(3), a_box(3)).agreement()["WT"]
    assert (found.volume_variation, found.pairwise_dice) == (0.0, 1.0)


def test_pairs_are_those_of_the_masks():
    random = np.random.default_rng(2)
    members = [random.random((2, 9, 10, 11)) < rate for rate in (0.02, 0.3, 0.5, 0.9)]
    found = samples_of(*map(torch.tensor, members), regions=("WT", "TC")).agreement()
    for number, region in enumerate(("WT", "TC")):
        pairs = itertools.combinations([member[number] for member in members], 2)
        dice = [2 * (a & b).sum() / (a.sum() + b.sum()) for a, b in pairs]
        assert found[region].pairwise_dice == pytest.approx(np.mean(dice))


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.9])
def test_a_member_takes_no_more_room_than_a_bit_a_voxel(rate):
    mask = torch.tensor(np.random.default_rng(3).random((1, 20, 20, 20)) < rate)
    (kept,) = packed(mask)
    bits = Bits.of(kept)
    places = 0 if isinstance(bits.places, slice) else bits.places.nbytes
    assert places + bits.values.nbytes <= 20**3 / 8


def test_a_region_that_no_member_has_has_no_figures():
    found = samples_of(a_box(0), a_box(0)).agreement()["WT"]
    assert (found.mean_volume, found.volume_variation, found.pairwise_dice, found.few_voxels) == (0, None, None, True)


def test_two_empty_members_agree_where_a_third_found_something():
    found = samples_of(a_box(0), a_box(0), a_box(2)).agreement()["WT"]
    assert found.pairwise_dice == pytest.approx(1 / 3)
    assert found.volume_variation == pytest.approx(np.sqrt(2))


def test_a_single_member_has_no_pairs():
    found = samples_of(a_box(3)).agreement()["WT"]
    assert (found.volume_variation, found.pairwise_dice) == (0.0, None)


def test_a_few_voxels_are_said_to_be_few():
    assert samples_of(a_box(2)).agreement()["WT"].few_voxels
    assert not samples_of(a_box(3)).agreement()["WT"].few_voxels


def test_what_a_member_does_not_cover_is_as_in_the_first():
    samples = StructureSamples(("WT",), 1.0)
    samples.add(a_box(4))
    covered = torch.ones((12, 11, 13), dtype=torch.bool)
    covered[:3] = False
    samples.add(a_box(2), covered)
    found = samples.agreement()["WT"]
    assert found.mean_volume == (64 + 2 * 16) / 2


def test_the_members_given_may_be_used_again_by_the_caller():
    mask = a_box(2)
    samples = StructureSamples(("WT",), 1.0)
    samples.add(mask)
    mask[:] = False
    samples.add(mask, torch.zeros((12, 11, 13), dtype=torch.bool))
    assert samples.agreement()["WT"].pairwise_dice == 1


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (a_box(2).float(), r"member 2 is torch.float32 .* expected boolean \(1, 12, 11, 13\)"),
        (a_box(2, (12, 11, 12)), r"member 2 is torch.bool of shape \(1, 12, 11, 12\)"),
        (torch.cat([a_box(2), a_box(2)]), "for the regions WT"),
    ],
)
def test_a_member_of_another_kind_is_refused(member, message):
    samples = samples_of(a_box(2))
    with pytest.raises(InferenceError, match=message):
        samples.add(member)


def test_a_first_member_with_holes_is_refused():
    with pytest.raises(InferenceError, match="begin with the identity"):
        StructureSamples(("WT",), 1.0).add(a_box(2), torch.zeros((12, 11, 13), dtype=torch.bool))


def test_no_member_is_refused():
    with pytest.raises(InferenceError, match="no member"):
        StructureSamples(("WT",), 1.0).agreement()


def test_counts_come_from_packed_bits():
    masks = torch.tensor([[1, 1, 0, 0, 1, 0, 0, 0, 1], [0, 1, 1, 0, 1, 0, 0, 0, 0]], dtype=torch.bool)
    rows = packed(masks[:, None, None])
    assert np.array_equal(rows, np.packbits(masks.numpy(), axis=1))
    assert np.array_equal(together([Bits.of(row) for row in rows]), rows)
    shared = shared_voxels(rows)
    assert shared.tolist() == [[4, 2], [2, 3]]
    assert mean_pairwise_dice(shared) == pytest.approx(4 / 7)


def test_bytes_that_no_member_uses_are_not_kept():
    rows = np.zeros((2, 50), np.uint8)
    rows[0, 7], rows[1, 7], rows[1, 30] = 3, 1, 255
    kept = together([Bits.of(row) for row in rows])
    assert kept.tolist() == [[3, 0], [1, 255]]

"""Brains and tumours before they become files."""

import json
import socket
import subprocess
import sys

import cc3d
import numpy as np
import pytest

from BraTSRefineLib.phantom import PhantomError
from BraTSRefineLib.phantom.anatomy import load_template, make_anatomy
from BraTSRefineLib.phantom.grid import Grid, signed_distance, smooth_noise
from BraTSRefineLib.phantom.plan import plan_cohort
from BraTSRefineLib.phantom.tumour import grow
from BraTSRefineLib.regions import CONVENTIONS

LABELS = CONVENTIONS["brats2023"]
GRID = Grid.of_scale(0.4)


def simulate(plan, grid=GRID):
    anatomy = make_anatomy(grid, plan.pose, plan.atrophy, plan.stream("anatomy"))
    return anatomy, grow(plan.tumour, grid, anatomy, plan.stream("tumour"))


@pytest.fixture(scope="module")
def grown():
    """(plan, anatomy, tumour) of some cases, among them one with a cavity and one with satellites."""
    return [(plan, *simulate(plan)) for plan in plan_cohort(6, 3, seed=9)]


def test_full_scale_is_the_grid_of_brats():
    geometry = Grid.of_scale(1.0).geometry
    assert geometry.size == (240, 240, 155)
    assert geometry.spacing == (1.0, 1.0, 1.0)
    assert Grid.of_scale(0.5).geometry.size == (120, 120, 78)


def test_tissues_add_up_inside_the_brain_and_are_absent_outside(grown):
    for _, anatomy, _ in grown:
        total = anatomy.white + anatomy.grey + anatomy.fluid
        assert (total[~anatomy.brain] == 0).all()
        assert total[anatomy.brain].min() > 0.9
        assert total.max() < 1.001


def test_regions_are_nested_within_the_brain_and_outside_the_cavity(grown):
    for _, anatomy, tumour in grown:
        whole, core, enhancing = LABELS.masks(tumour.labels)
        assert not (enhancing & ~core).any() and not (core & ~whole).any()
        assert not (whole & ~anatomy.brain).any()
        assert not (whole & tumour.cavity).any()


def test_volumes_are_about_those_planned(grown):
    for plan, _, tumour in grown:
        whole, core, _ = LABELS.masks(tumour.labels)
        planned = plan.tumour.core_ml + plan.tumour.oedema_ml
        assert 0.7 * planned < np.count_nonzero(whole) * GRID.voxel_ml < 1.3 * planned
        assert np.count_nonzero(core) * GRID.voxel_ml > 0.7 * plan.tumour.core_ml


def test_oedema_prefers_white_matter(grown):
    for _, anatomy, tumour in grown:
        oedema = tumour.labels == LABELS.tissues["ED"]
        assert anatomy.white[oedema].mean() > 1.3 * anatomy.white[anatomy.brain].mean()


def test_satellites_are_apart_from_the_core(grown):
    plan, _, tumour = next(item for item in grown if item[0].tumour.satellites)
    core = LABELS.mask(tumour.labels, "TC")
    assert 1 <= len(tumour.satellites) <= plan.tumour.satellites
    assert cc3d.connected_components(core, connectivity=26).max() >= 2


def test_cavity_is_where_it_was_planned_and_nowhere_else(grown):
    for plan, _, tumour in grown:
        volume = np.count_nonzero(tumour.cavity) * GRID.voxel_ml
        assert volume == pytest.approx(plan.tumour.cavity_ml, rel=0.25)


def test_core_is_irregular_and_no_ball(grown):
    for plan, _, tumour in grown:
        core = cc3d.largest_k(LABELS.mask(tumour.labels, "TC"), k=1) > 0
        if np.count_nonzero(core) < 400:
            continue
        places = np.argwhere(core) * GRID.spacing
        reach = np.linalg.norm(places - places.mean(axis=0), axis=1).max()
        assert reach > 1.3 * plan.tumour.core_radius_mm


def test_sizes_have_a_long_tail_and_differ_between_centers():
    plans = plan_cohort(300, 3, seed=3)
    volumes = {name: [p.tumour.core_ml for p in plans if p.center.name == name] for name in ("center_2", "center_3")}
    everything = [plan.tumour.core_ml for plan in plans]
    assert np.mean(everything) > 1.2 * np.median(everything)
    assert np.median(volumes["center_3"]) > 1.5 * np.median(volumes["center_2"])


def test_a_field_of_noise_is_the_same_on_every_grid():
    axes = tuple(np.arange(0, 120, 4, dtype=np.float32) for _ in range(3))
    coarse = tuple(axis[::2] for axis in axes)
    fine_field, coarse_field = (smooth_noise(a, 20.0, np.random.default_rng(1)) for a in (axes, coarse))
    assert np.allclose(fine_field[::2, ::2, ::2], coarse_field, atol=1e-4)
    assert 0.6 < fine_field.std() < 1.4


def test_signed_distance_changes_sign_between_voxels():
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[3:6, 3:6, 3:6] = True
    distance = signed_distance(mask, 2.0)
    assert ((distance > 0) == mask).all()
    assert distance[4, 4, 2] == pytest.approx(-1.0)
    assert distance[4, 4, 3] == pytest.approx(1.0)
    assert (signed_distance(np.zeros_like(mask), 2.0) < -50).all()


def test_importing_the_room_loads_none_of_the_heavy_packages():
    code = (
        "import sys, json, BraTSRefineLib.phantom;"
        "print(json.dumps([m for m in ('nilearn', 'scipy', 'SimpleITK', 'torch', 'sklearn') if m in sys.modules]))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(output) == []


def test_missing_nilearn_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nilearn", None)
    load_template.cache_clear()
    with pytest.raises(PhantomError, match=r"bratsrefine\[phantom\]"):
        load_template()


def test_template_is_read_without_a_network(monkeypatch):
    def refuse(*_):
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    load_template.cache_clear()
    assert load_template().white.shape == (189, 233, 197)

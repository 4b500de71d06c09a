"""Uncertain regions as a ranked list of places."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.review import (
    FLAG_COLUMNS,
    Doubt,
    ReviewError,
    default_threshold,
    find_flags,
    read_flags,
    write_flags,
)

SHAPE = (40, 44, 48)
GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 1.0), (-10.0, 5.0, 100.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
TURNED = Geometry(SHAPE[::-1], (1.0, 2.0, 3.0), (100.0, 80.0, -20.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


def ball(center: tuple[int, int, int], radius: float) -> np.ndarray:
    distance = np.sqrt(sum((axis - c) ** 2 for axis, c in zip(np.indices(SHAPE), center, strict=True)))
    return distance <= radius


def flags_of(uncertainty: np.ndarray, geometry: Geometry = GRID, consensus: np.ndarray | None = None, **options):
    names = {"case": "case-1", "region": "ET", "quantity": "disagreement"}
    return find_flags(Doubt(uncertainty.astype(np.float32), consensus), geometry, **(names | options)).flags


@pytest.fixture
def two_balls() -> np.ndarray:
    return 0.2 * ball((10, 12, 14), 3) + 0.2 * ball((28, 30, 32), 5)


def test_two_balls_come_in_the_order_of_their_size(two_balls):
    big, small = flags_of(two_balls)
    assert (big.rank, small.rank) == (1, 2)
    assert big.volume_ml == pytest.approx(ball((28, 30, 32), 5).sum() / 1000)
    assert big.mean == pytest.approx(0.2)
    assert big.maximum == pytest.approx(0.2)


def test_rank_is_volume_times_mean():
    uncertainty = 0.25 * ball((10, 12, 14), 3) + 0.15 * ball((28, 30, 32), 3)
    assert [flag.mean for flag in flags_of(uncertainty)] == pytest.approx([0.25, 0.15])


def test_center_is_the_ball_s_in_lps_mm(two_balls):
    big, small = flags_of(two_balls)
    assert big.center_lps == pytest.approx((32 - 10, 30 + 5, 28 + 100))
    assert small.center_lps == pytest.approx((14 - 10, 12 + 5, 10 + 100))


def test_center_follows_direction_and_spacing(two_balls):
    assert flags_of(two_balls, TURNED)[0].center_lps == pytest.approx((100 - 32, 80 - 2 * 30, -20 + 3 * 28))


def test_center_of_a_shell_lies_inside_the_shell():
    shell = ball((20, 20, 20), 8) & ~ball((20, 20, 20), 6)
    (flag,) = flags_of(0.2 * shell)
    x, y, z = (round(value - origin) for value, origin in zip(flag.center_lps, GRID.origin, strict=True))
    assert shell[z, y, x]


def test_center_leans_to_the_more_uncertain_end():
    uncertainty = np.zeros(SHAPE)
    uncertainty[20, 20, 10:21] = 0.13
    uncertainty[20, 20, 18:21] = 0.25
    (flag,) = flags_of(uncertainty)
    assert flag.center_lps[0] - GRID.origin[0] > 15


def test_the_thin_rim_around_the_consensus_is_no_flag(two_balls):
    consensus = ball((20, 20, 20), 16)
    core = ball((20, 20, 20), 15)
    rim = 0.2 * (consensus & ~core)
    flags = flags_of(np.maximum(two_balls * core, rim), consensus=consensus)
    assert len(flags) == 2
    assert flags_of(rim, consensus=consensus) == []


def test_a_satellite_that_the_consensus_lacks_is_flagged_as_a_possible_miss(two_balls):
    flags = flags_of(two_balls, consensus=np.zeros(SHAPE, bool))
    assert len(flags) == 2
    assert "possibly a miss" in flags[0].why


def test_a_region_that_the_consensus_has_is_possibly_too_much(two_balls):
    flags = flags_of(two_balls, consensus=ball((20, 20, 20), 40))
    assert "possibly too much" in flags[0].why


def test_why_is_in_plain_words(two_balls):
    assert flags_of(two_balls)[0].why == "members disagree about the enhancing tumour"
    assert flags_of(two_balls, quantity="entropy", threshold=0.1)[0].why.startswith("members are unsure about")


@pytest.mark.parametrize(("quantity", "expected"), [("disagreement", 0.125), ("entropy", np.log(2) / 2)])
def test_default_threshold_is_half_of_the_quantity_s_range(quantity, expected):
    assert default_threshold(quantity) == pytest.approx(expected)


def test_a_voxel_at_the_threshold_counts_and_one_below_does_not():
    uncertainty = 0.125 * ball((10, 12, 14), 3) + 0.124 * ball((28, 30, 32), 5)
    assert len(flags_of(uncertainty)) == 1


def test_five_members_flag_what_a_single_one_contradicts():
    assert len(flags_of(0.16 * ball((10, 12, 14), 3))) == 1


def test_small_components_are_left_out():
    spot = np.zeros(SHAPE)
    spot[5, 5, 5:14] = 0.2
    assert flags_of(spot) == []
    assert len(flags_of(spot, minimum_mm3=9)) == 1


def test_the_list_is_capped_at_the_limit():
    spots = np.zeros(SHAPE)
    spots[2::6, 2::6, 2::6] = 0.2
    assert [flag.rank for flag in flags_of(spots, minimum_mm3=1, limit=5)] == [1, 2, 3, 4, 5]


def test_no_uncertainty_gives_no_flag():
    assert flags_of(np.zeros(SHAPE)) == []


def test_flags_do_not_depend_on_the_order_of_the_axes(two_balls):
    swapped = Geometry(SHAPE, (1.0, 1.0, 1.0), GRID.origin, (0, 0, 1, 0, 1, 0, 1, 0, 0))
    straight, turned = flags_of(two_balls), flags_of(np.transpose(two_balls, (2, 1, 0)), swapped)
    assert np.allclose([flag.center_lps for flag in straight], [flag.center_lps for flag in turned])


def test_flags_survive_the_file(tmp_path, two_balls):
    flags = flags_of(two_balls)
    write_flags(flags, tmp_path / "flags.csv")
    table = read_flags(tmp_path / "flags.csv")
    assert list(table.columns) == FLAG_COLUMNS
    pd.testing.assert_frame_equal(table, pd.DataFrame([flag.row for flag in flags]), check_dtype=False)


def test_no_flags_is_a_table_with_headings(tmp_path):
    write_flags([], tmp_path / "flags.csv")
    assert list(read_flags(tmp_path / "flags.csv").columns) == FLAG_COLUMNS


def test_a_case_name_of_digits_stays_text(tmp_path, two_balls):
    write_flags(flags_of(two_balls, case="00012"), tmp_path / "flags.csv")
    assert read_flags(tmp_path / "flags.csv")["case"].tolist() == ["00012", "00012"]


def test_missing_flags_say_what_to_run(tmp_path):
    with pytest.raises(ReviewError, match="run the uncertainty job"):
        read_flags(tmp_path / "flags.csv")


def test_a_table_that_is_none_is_named_with_what_to_run(tmp_path):
    (tmp_path / "flags.csv").write_bytes(b"")
    with pytest.raises(ReviewError, match=r"flags\.csv: not readable .* run the uncertainty job again"):
        read_flags(tmp_path / "flags.csv")


def test_a_map_of_another_size_is_refused(two_balls):
    with pytest.raises(ReviewError, match="case-1: the uncertainty map has shape"):
        flags_of(two_balls[1:])


def test_an_unknown_quantity_is_named(two_balls):
    with pytest.raises(ReviewError, match="no quantity 'doubt'"):
        flags_of(two_balls, quantity="doubt")

"""The uncertainty job's maps and tables, and the choice of cases that is made from them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib import jobs
from BraTSRefineLib.cohort import Workspace, read_geometry, read_image
from BraTSRefineLib.fusion import QUANTITIES
from BraTSRefineLib.jobs import JobError
from BraTSRefineLib.review import ReviewError, read_flags
from BraTSRefineLib.review.flag_maps import flag_map_path, read_flag_map

FROM_PROBABILITIES = ("mean", "variance", "entropy", "mutual_information")


@pytest.fixture(scope="module")
def mapped(fused) -> SimpleNamespace:
    """The three cases after an uncertainty job."""
    job_json = jobs.create(fused.workspace, "uncertainty", name="maps")
    summary = jobs.run(job_json)
    return SimpleNamespace(summary=summary, outputs=job_json.parent / "outputs", workspace=fused.workspace)


def read_map(workspace, quantity: str, region: str, case: str = "A") -> np.ndarray:
    return read_image(workspace.map_path(case, quantity, region))


def votes(small) -> np.ndarray:
    return np.mean([small.cubes(shift) for shift in (-2, 2, 0)], axis=0)


@pytest.mark.parametrize(("level", "region"), [(0, "WT"), (1, "TC"), (2, "ET")])
def test_disagreement_is_the_vote_variance_of_the_label_maps(mapped, small, level, region):
    fraction = votes(small)[level]
    assert np.abs(read_map(mapped.workspace, "disagreement", region) - fraction * (1 - fraction)).max() < 1e-6


def test_variance_and_entropy_are_those_of_the_probabilities(mapped, small):
    members = np.stack([np.where(small.cubes(shift)[0], 0.9, 0.1).astype(np.float16) for shift in (-2, 2, 0)])
    members = members.astype(np.float64)
    mean = members.mean(axis=0)
    entropy = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))
    assert np.abs(read_map(mapped.workspace, "mean", "WT") - mean).max() < 1e-6
    assert np.abs(read_map(mapped.workspace, "variance", "WT") - members.var(axis=0)).max() < 1e-6
    assert np.abs(read_map(mapped.workspace, "entropy", "WT") - entropy).max() < 1e-5


def test_each_flag_lies_in_a_map_of_ranks_with_its_volume_and_its_place(mapped):
    flags = read_flags(mapped.workspace.flags_csv)
    assert len(flags)
    for flag in flags.itertuples():
        ranks, geometry = read_flag_map(mapped.workspace, flag.case, flag.region)
        assert (ranks == flag.rank).sum() * np.prod(geometry.spacing) / 1000 == pytest.approx(flag.volume_ml)
        x, y, z, _one = np.linalg.inv(geometry.affine) @ (flag.x_mm, flag.y_mm, flag.z_mm, 1)
        assert ranks[round(z), round(y), round(x)] == flag.rank


def test_where_no_flags_were_kept_there_is_no_map_and_a_broken_one_is_told(tmp_path):
    workspace = Workspace(tmp_path)
    assert read_flag_map(workspace, "A", "WT") is None
    path = flag_map_path(workspace, "A", "WT", "unet")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"cut")
    with pytest.raises(ReviewError, match="run the uncertainty job again"):
        read_flag_map(workspace, "A", "WT", "unet")


@pytest.mark.parametrize("quantity", ["disagreement", *FROM_PROBABILITIES])
def test_a_map_is_float32_in_the_case_s_geometry_and_within_its_range(mapped, small, quantity):
    path = mapped.workspace.map_path("B", quantity, "TC")
    values = read_image(path)
    assert values.dtype == np.float32
    assert read_geometry(path).difference(small.grid) == ""
    assert values.min() >= QUANTITIES[quantity].low
    assert values.max() <= QUANTITIES[quantity].high + 1e-6


@pytest.mark.parametrize("quantity", ["disagreement", *FROM_PROBABILITIES])
def test_beside_a_map_stands_what_it_is(mapped, quantity):
    path = mapped.workspace.map_path("A", quantity, "ET")
    about = json.loads(path.with_name(f"{quantity}_ET.json").read_text(encoding="utf-8"))
    assert set(about) == {"quantity", "what", "low", "high", "unit", "region", "members", "case"}
    assert (about["quantity"], about["region"], about["case"]) == (quantity, "ET", "A")
    assert about["members"] == ["left", "right", "true"]
    assert "of 3 " in about["what"]


def test_the_table_has_the_documented_numbers(mapped, small):
    table = pd.read_csv(mapped.workspace.root / "uncertainty.csv")
    row = table[(table["case"] == "A") & (table["region"] == "WT") & (table["quantity"] == "disagreement")].iloc[0]
    fraction = votes(small)[0]
    disagreement = fraction * (1 - fraction)
    assert row["mean_in_tumour"] == pytest.approx(disagreement[fraction > 0].mean(), rel=1e-5)
    assert row["mean_in_brain"] == pytest.approx(disagreement.mean(), rel=1e-5)
    assert row["volume_above_ml"] == pytest.approx((disagreement >= 0.125).sum() / 1000)
    assert row["members"] == 3


def test_flags_name_the_two_sides_where_the_shifted_models_reach_out(mapped):
    flags = read_flags(mapped.workspace.flags_csv)
    whole = flags[(flags["case"] == "A") & (flags["region"] == "WT")]
    assert set(whole["quantity"]) == {"entropy"}
    assert whole["why"].str.startswith("members are unsure about the whole tumour").all()
    middle = -10 + 14
    assert (whole["x_mm"] < middle).any()
    assert (whole["x_mm"] > middle).any()


def test_the_run_keeps_its_own_tables(mapped):
    for name in ("flags.csv", "uncertainty.csv"):
        assert (mapped.outputs / name).read_text() == (mapped.workspace.root / name).read_text()
    assert mapped.summary["cases"] == 3
    assert mapped.summary["quantities"] == ["disagreement", "entropy", "mutual_information", "variance"]


def test_doing_one_case_again_keeps_the_others(mapped):
    before = pd.read_csv(mapped.workspace.root / "uncertainty.csv")
    jobs.run(jobs.create(mapped.workspace, "uncertainty", {"cases": ["B"], "models": ["left", "right"]}))
    after = pd.read_csv(mapped.workspace.root / "uncertainty.csv")
    assert sorted(after["case"].unique()) == ["A", "B", "C"]
    assert set(after.loc[after["case"] == "B", "members"]) == {2}
    pd.testing.assert_frame_equal(
        after[after["case"] == "A"].reset_index(drop=True), before[before["case"] == "A"].reset_index(drop=True)
    )


def test_label_maps_alone_give_disagreement_alone(data, tmp_path, small):
    for npz in data.rglob("*.npz"):
        npz.unlink()
    workspace = small.opened(data, tmp_path / "labels-only")
    assert jobs.run(jobs.create(workspace, "uncertainty"))["quantities"] == ["disagreement"]
    assert sorted(path.name for path in (workspace.maps / "A").glob("*.nii.gz")) == [
        f"disagreement_{region}.nii.gz" for region in ("ET", "TC", "WT")
    ]


def test_a_case_with_one_usable_model_is_a_problem(data, tmp_path, small):
    for model in ("left", "right"):
        (data / "predictions" / model / "B.nii.gz").unlink()
        (data / "predictions" / model / "B.npz").unlink()
    workspace, events = small.opened(data, tmp_path / "lonely"), []
    jobs.run(jobs.create(workspace, "uncertainty"), on_event=events.append)
    (problem,) = [event for event in events if event["event"] == "problem"]
    assert problem == {
        "event": "problem",
        "case": "B",
        "message": "no uncertainty: it takes two models, 1 can be used here",
    }
    assert not (workspace.maps / "B").exists()


def test_one_model_has_no_uncertainty(data, tmp_path, small):
    workspace = small.opened(data, tmp_path / "single")
    with pytest.raises(JobError, match="at least two models"):
        jobs.run(jobs.create(workspace, "uncertainty", {"models": ["true"]}))


def test_select_takes_the_most_uncertain_and_gives_the_reason(mapped):
    job_json = jobs.create(mapped.workspace, "select", {"k": 2, "region": "WT"})
    summary = jobs.run(job_json)
    chosen = pd.read_csv(job_json.parent / "outputs" / "selected.csv")
    assert list(chosen.columns) == ["rank", "case", "center", "uncertainty", "reason"]
    assert summary["selected"] == chosen["case"].tolist()
    assert summary["quantity"] == "entropy"
    assert chosen["reason"][0].startswith("entropy of WT: uncertainty ")
    table = pd.read_csv(mapped.workspace.root / "uncertainty.csv")
    best = table[(table["region"] == "WT") & (table["quantity"] == "entropy")]["mean_in_tumour"].max()
    assert chosen["uncertainty"][0] == pytest.approx(best)


def test_select_of_a_region_that_nobody_found_says_so(data, tmp_path, small):
    for case in ("A", "B", "C"):
        for model in ("left", "right", "true"):
            regions = small.truth.copy()
            regions[2] = case == "A" and model == "left"
            small.write_label_map(data / "predictions" / model / f"{case}.nii.gz", regions & small.truth)
            (data / "predictions" / model / f"{case}.npz").unlink()
    workspace, events = small.opened(data, tmp_path / "no-et"), []
    jobs.run(jobs.create(workspace, "uncertainty"))
    summary = jobs.run(jobs.create(workspace, "select", {"region": "ET", "k": 3}), on_event=events.append)
    assert summary["selected"] == ["A"]
    assert [event["case"] for event in events if event["event"] == "problem"] == ["B", "C"]
    assert "no member finds this region" in next(e["message"] for e in events if e["event"] == "problem")


def test_select_without_uncertainty_says_what_to_run_first(workspace):
    with pytest.raises(JobError, match="run the uncertainty job first"):
        jobs.run(jobs.create(workspace, "select"))

"""Scoring on a Dask cluster of two worker processes on this machine."""

import operator
import os
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from BraTSRefineLib.cohort.case import Case, Cohort
from BraTSRefineLib.cohort.volumes import Geometry, write_volume
from BraTSRefineLib.cohort.workspace import Workspace
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.scoring import ScoringError, cluster, score_cohort, write_scores
from BraTSRefineLib.scoring.cluster import cluster_outcomes

GRID = Geometry((12, 11, 10), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1))
DIE = partial(os._exit, 3)


@pytest.fixture(scope="module")
def scheduler(local_cluster):
    """Address of a cluster of two workers."""
    with local_cluster(2) as made:
        yield made.scheduler_address


@pytest.fixture
def cohort(tmp_path):
    """Three cases; a prediction of the last is no image."""
    cases = []
    for number, name in enumerate("ABC"):
        voxels = np.zeros(GRID.size[::-1], np.uint8)
        voxels[2:8, 2:8, 2:8] = 2
        voxels[4:6, 4 : 5 + number, 4:6] = 3
        files = {"near": np.roll(voxels, 1, 2), "same": voxels}
        paths = {model: tmp_path / model / f"{name}.nii.gz" for model in files}
        for model, path in paths.items():
            write_volume(path, files[model], GRID)
        reference = tmp_path / f"{name}-seg.nii.gz"
        write_volume(reference, voxels, GRID)
        cases.append(Case(name, reference=reference, predictions=paths, labels=label_convention("brats2023")))
    cases[2].predictions["near"].write_bytes(b"no image")
    return Cohort(tmp_path, "test", tuple(cases))


def test_a_cluster_gives_the_same_files_byte_for_byte(cohort, scheduler, tmp_path):
    here, there = (Workspace.open(tmp_path / name) for name in ("here", "there"))
    seen = []
    measures = ("lesions", "instances", "topology")
    write_scores(score_cohort(cohort, workers=1, measures=measures), here)
    scores = score_cohort(cohort, measures=measures, scheduler=scheduler, progress=lambda *step: seen.append(step))
    write_scores(scores, there)
    assert there.scores_csv.read_bytes() == here.scores_csv.read_bytes()
    assert there.scores_parquet.read_bytes() == here.scores_parquet.read_bytes()
    assert [step[:2] for step in seen] == [(1, 3), (2, 3), (3, 3)]


def test_a_case_that_ends_in_an_error_stops_no_other(scheduler):
    results = dict(cluster_outcomes(operator.neg, [1, "two", 3], scheduler))
    assert (results[0], results[2]) == (-1, -3)
    assert isinstance(results[1], TypeError)


def test_a_case_that_kills_its_workers_takes_no_other_along(scheduler):
    items = [partial(abs, -1), DIE, *[partial(abs, -number) for number in range(2, 6)]]
    results = dict(cluster_outcomes(operator.call, items, scheduler))
    assert "workers died" in str(results.pop(1))
    assert list(map(results.get, (0, 2, 3, 4, 5))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "nonsense", "http://127.0.0.1:9"])
def test_where_nobody_listens_the_address_is_named(cohort, monkeypatch, address):
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.5)
    with pytest.raises(ScoringError, match=f"no Dask scheduler answers at {address}"):
        score_cohort(cohort, scheduler=address)


def test_a_scheduler_without_workers_is_told_apart(cohort, local_cluster):
    with (
        local_cluster(0) as made,
        pytest.raises(ScoringError, match="has no workers; start some with 'dask worker'"),
    ):
        score_cohort(cohort, scheduler=made.scheduler_address)


def test_a_scheduler_that_goes_away_ends_the_work_with_its_address(local_cluster):
    with local_cluster(1) as made, pytest.raises(ScoringError, match="went away; start it and run this again"):
        for _ in cluster_outcomes(operator.call, [partial(abs, -1), partial(time.sleep, 60)], made.scheduler_address):
            made.close()


def test_without_dask_the_extra_is_named():
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from BraTSRefineLib.scoring import ScoringError\n"
        "from BraTSRefineLib.scoring.cluster import cluster_outcomes\n"
        "try: list(cluster_outcomes(abs, [1], 'tcp://127.0.0.1:9'))\n"
        "except ScoringError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "a cluster needs dask: pip install 'bratsrefine[cluster]'"


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:9", "tcp://127.0.0.1:port"])
def test_an_address_that_is_none_leaves_no_client_behind_at_the_end_of_the_process(address):
    code = (
        "from BraTSRefineLib.scoring import ScoringError\n"
        "from BraTSRefineLib.scoring.cluster import cluster_outcomes\n"
        f"try: list(cluster_outcomes(abs, [1], {address!r}))\n"
        "except ScoringError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"no Dask scheduler answers at {address}")
    assert done.stderr == ""

"""What is written appears whole or not at all, and never in the data."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from BraTSRefineLib.cohort.volumes import Geometry, VolumeError, read_image, read_label_map, write_volume
from BraTSRefineLib.cohort.workspace import Workspace, WorkspaceError, safe_name, written_whole

GRID = Geometry((4, 5, 6), (1.0, 1.0, 2.0), (1.0, 2.0, 3.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def test_a_block_that_fails_leaves_the_old_file_and_no_partial_one(tmp_path):
    target = tmp_path / "scores.csv"
    target.write_text("old")
    with pytest.raises(KeyError), written_whole(target) as temporary:
        temporary.write_text("half of the new")
        raise KeyError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_a_volume_keeps_geometry_and_type(tmp_path):
    voxels = np.arange(120, dtype=np.float32).reshape(6, 5, 4)
    write_volume(tmp_path / "maps" / "variance.nii.gz", voxels, GRID)
    again = read_image(tmp_path / "maps" / "variance.nii.gz")
    assert again.dtype == np.float32
    assert np.array_equal(again, voxels)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    """A limit on the size of a file stands in for the disk: the system refuses the bytes in the same call."""
    code = f"""
import resource, signal, numpy as np
from pathlib import Path
from BraTSRefineLib.cohort.workspace import written_whole, WorkspaceError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with written_whole(Path({str(tmp_path)!r}) / "big.csv") as temporary:
        temporary.write_bytes(bytes(100_000))
except WorkspaceError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "big.csv" in run.stdout
    assert "free disk space" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_volume_that_does_not_fit_on_the_disk_is_said_and_leaves_nothing(tmp_path):
    code = f"""
import resource, signal, numpy as np
from pathlib import Path
from BraTSRefineLib.cohort.volumes import Geometry, VolumeError, write_volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
noise = np.random.default_rng(0).random((40, 40, 40), dtype=np.float32)
try:
    write_volume(Path({str(tmp_path)!r}) / "noise.nii.gz", noise,
                 Geometry((40, 40, 40), (1.0,) * 3, (0.0,) * 3, (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)))
    print("written")
except VolumeError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "disk full" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named():
    with pytest.raises(WorkspaceError, match="/proc/nothing"):
        Workspace.open(Path("/proc/nothing"))


def test_the_data_folder_itself_is_no_workspace(tmp_path):
    with pytest.raises(WorkspaceError, match="beside"):
        Workspace.open(tmp_path, tmp_path)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "", ".hidden"])
def test_a_name_never_leaves_its_folder(name):
    safe = safe_name(name)
    assert os.sep not in safe
    assert not safe.startswith(".")
    assert safe


def test_umlauts_in_names_survive():
    assert safe_name("Größe 1") == "Größe_1"


def test_truncated_volume_is_refused(tmp_path):
    path = tmp_path / "image.nii.gz"
    write_volume(path, np.random.default_rng(0).random((20, 20, 20), dtype=np.float32), Geometry(
        (20, 20, 20), (1.0,) * 3, (0.0,) * 3, GRID.direction))  # fmt: skip
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(VolumeError, match="truncated"):
        read_image(path)


def test_nan_is_seen_where_itk_reads_zero(tmp_path):
    voxels = np.zeros((6, 5, 4), np.float32)
    voxels[1, 2, 3] = np.nan
    write_volume(tmp_path / "map.nii.gz", voxels, GRID)
    assert np.isnan(read_image(tmp_path / "map.nii.gz")[1, 2, 3])
    with pytest.raises(VolumeError, match="NaN"):
        read_label_map(tmp_path / "map.nii.gz")


def test_stored_voxels_are_those_that_itk_reads(real_data):
    paths = sorted(real_data.rglob("*.nii.gz"))[::7]
    assert paths
    for path in paths:
        expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        voxels = read_image(path)
        assert voxels.dtype == expected.dtype
        assert np.array_equal(voxels, expected)


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, 0.0), (1.0, -1.0)])
def test_scaled_voxels_are_converted(tmp_path, slope, intercept):
    path = tmp_path / "image.nii"
    write_volume(path, np.full((6, 5, 4), 3, np.int16), GRID)
    content = bytearray(path.read_bytes())
    struct.pack_into("<2f", content, 112, slope, intercept)
    path.write_bytes(content)
    assert np.unique(read_image(path)).tolist() == [3 * slope + intercept]


def test_the_default_workspace_lies_beside_the_data(tmp_path):
    (tmp_path / "list.csv").touch()
    assert Workspace.beside(tmp_path / "brats2020") == tmp_path.resolve() / "brats2020-refine"
    assert Workspace.beside(tmp_path / "list.csv") == tmp_path.resolve() / "list-refine"

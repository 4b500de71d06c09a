"""A correction is a new file like the one that it came from; nothing is lost, renumbered or written over."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from correction_samples import OBLIQUE, SHAPE, UPRIGHT, painted, some_labels, write

from BraTSRefineLib.cohort import Case, WorkspaceError, read_geometry, read_label_map
from BraTSRefineLib.cohort.nifti_header import read_nifti_header
from BraTSRefineLib.review import Event, ReviewError, open_store, pseudonyms_of
from BraTSRefineLib.review.corrections import (
    SourceChanged,
    folder_of,
    save_correction,
    start_from_prediction,
    start_from_version,
    versions,
)


def with_codes(path: Path, qform: int, sform: int) -> Path:
    """The same uncompressed file with other codes in its header, as other programs write them."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<2h", content, 252, qform, sform)
    path.write_bytes(content)
    return path


def save(workspace, case, who="Ann", **named):
    start = start_from_prediction(case, "unet")
    return save_correction(workspace, start, painted(start.labels), who, **named)


# The file


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize(
    ("spacing", "direction"), [((1.0, 1.0, 1.0), UPRIGHT), ((0.9, 1.1, 5.0), UPRIGHT), ((0.5, 0.5, 3.0), OBLIQUE)]
)
@pytest.mark.parametrize("values", [(1, 2, 4), (1, 2, 3), (7,)])
def test_the_saved_file_differs_by_the_painted_voxels_alone(tmp_path, workspace, dtype, spacing, direction, values):
    source = write(tmp_path / "p.nii.gz", some_labels(values), dtype, spacing, direction)
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    edited = painted(start.labels, values[-1], 10)
    version = save_correction(workspace, start, edited, "Ann")
    written, original = (SimpleITK.ReadImage(str(path)) for path in (version.path, source))
    assert written.GetPixelID() == original.GetPixelID()
    for part in ("GetSpacing", "GetOrigin", "GetDirection", "GetSize"):
        assert getattr(written, part)() == getattr(original, part)()
    assert read_nifti_header(version.path).raw == read_nifti_header(source).raw
    assert np.count_nonzero(read_label_map(version.path) != read_label_map(source)) == 10
    assert np.array_equal(read_label_map(version.path), edited)


@pytest.mark.parametrize(("qform", "sform"), [(1, 0), (0, 1), (4, 4), (2, 1)])
def test_qform_and_sform_codes_stay(tmp_path, workspace, qform, sform):
    source = with_codes(write(tmp_path / "p.nii", some_labels(), spacing=(1.0, 1.0, 3.0)), qform, sform)
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    version = save_correction(workspace, start, painted(start.labels), "Ann")
    assert struct.unpack_from("<2h", read_nifti_header(version.path).raw, 252) == (qform, sform)


def test_a_file_of_another_byte_order_and_with_an_extension_stays_so(tmp_path, workspace):
    source = write(tmp_path / "p.nii", some_labels(), "int16")
    raw = bytearray(source.read_bytes())
    head, voxels = bytearray(raw[:352]), np.frombuffer(bytes(raw[352:]), "<i2").astype(">i2")
    swapped = bytearray(head)
    for at, form in ((0, "i"), (40, "8h"), (68, "4h"), (76, "11f"), (252, "2h"), (256, "18f")):
        struct.pack_into(f">{form}", swapped, at, *struct.unpack_from(f"<{form}", head, at))
    struct.pack_into(">f", swapped, 108, 384.0)
    extension = b"\1\0\0\0" + struct.pack(">2i", 32, 6) + b"a comment".ljust(24, b"\0")
    source.write_bytes(bytes(swapped[:348]) + extension + voxels.tobytes())
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    version = save_correction(workspace, start, painted(start.labels), "Ann")
    header = read_nifti_header(version.path)
    assert (header.order, header.dtype, header.voxel_offset) == (">", ">i2", 384)
    assert b"a comment" in start.template.header
    assert np.array_equal(read_label_map(version.path), painted(start.labels))


def test_scaled_labels_are_written_as_what_they_are(tmp_path, workspace):
    source = write(tmp_path / "p.nii", some_labels((2, 4)), "int16")
    content = bytearray(source.read_bytes())
    struct.pack_into("<2f", content, 112, 0.5, 0.0)
    source.write_bytes(content)
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    assert set(np.unique(start.labels)) == {0, 1, 2}
    version = save_correction(workspace, start, painted(start.labels, 2), "Ann")
    assert np.array_equal(read_label_map(version.path), painted(start.labels, 2))


def test_another_format_than_nifti_keeps_grid_and_type(tmp_path, workspace):
    source = write(tmp_path / "p.nrrd", some_labels(), "int16", (0.9, 1.1, 5.0), OBLIQUE)
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    version = save_correction(workspace, start, painted(start.labels), "Ann")
    assert not read_geometry(version.path).difference(read_geometry(source))
    assert SimpleITK.ReadImage(str(version.path)).GetPixelIDTypeAsString() == "16-bit signed integer"


def test_a_label_that_the_voxel_type_cannot_hold_is_refused(tmp_path, workspace):
    source = write(tmp_path / "p.nii.gz", some_labels(), "int8")
    start = start_from_prediction(Case("c", predictions={"m": source}), "m")
    with pytest.raises(ValueError, match="do not fit"):
        save_correction(workspace, start, painted(start.labels, 200), "Ann")
    assert not list(folder_of(workspace, "c").iterdir())


def test_without_a_prediction_one_is_drawn_on_the_images_grid(workspace, case):
    start = start_from_prediction(case, "another model")
    assert start.drawn
    assert not start.labels.any()
    version = save_correction(workspace, start, painted(start.labels), "Ann")
    assert not read_geometry(version.path).difference(read_geometry(case.images["t1c"]))
    assert read_nifti_header(version.path).dtype == "<u1"
    assert version.event.payload["drawn"]
    assert version.event.prediction_hash == ""


def test_neither_prediction_nor_image_is_told():
    with pytest.raises(ReviewError, match="nothing to correct"):
        start_from_prediction(Case("c"), "m")


# Versions


def test_a_version_says_who_when_from_what_and_with_what(workspace, case):
    version = save(workspace, case, note='so "it" is\n🧠', flag="ET-3")
    described = json.loads(next(folder_of(workspace, "case-1").glob("*.json")).read_text(encoding="utf-8"))
    start = start_from_prediction(case, "unet")
    assert described == version.event.row
    assert described["who"] == "Ann"
    assert described["flag"] == "ET-3"
    assert described["when"].endswith("Z")
    assert described["software"].startswith("BraTSRefine ")
    assert described["prediction_hash"] == described["payload"]["from_sha256"] == start.hash
    assert described["payload"]["from"] == case.predictions["unet"].name
    assert described["payload"]["file"] == version.path.relative_to(workspace).as_posix()
    assert described["payload"]["voxels"] == 3
    assert version.path.name.startswith("case-1_unet_Ann_20")


def test_the_newest_version_comes_first_and_older_ones_stay(workspace, case):
    first = save(workspace, case)
    start = start_from_version(first)
    second = save_correction(workspace, start, painted(start.labels, 2, 5), "Ben")
    assert [version.event.who for version in versions(workspace, "case-1", "unet")] == ["Ben", "Ann"]
    assert second.event.payload["from"] == first.event.payload["file"]
    assert second.event.prediction_hash == first.event.prediction_hash
    assert np.array_equal(read_label_map(first.path), painted(start_from_prediction(case, "unet").labels))
    assert not versions(workspace, "case-1", "another")
    assert not versions(workspace, "case-2")
    assert [version.event.who for version in versions(workspace, "case-1", who="Ann")] == ["Ann"]


def test_two_windows_on_one_case_make_two_versions(workspace, case):
    starts = [start_from_prediction(case, "unet") for _ in range(2)]
    saved = [save_correction(workspace, start, painted(start.labels, 1 + i), "Ann") for i, start in enumerate(starts)]
    assert len({version.path for version in saved}) == 2
    for version, value in zip(saved, (1, 2), strict=True):
        assert (read_label_map(version.path)[5, 7, :3] == value).all()


def test_many_processes_saving_at_once_lose_nothing(workspace, case, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom BraTSRefineLib.cohort import Case\n"
        "from BraTSRefineLib.review.corrections import *\n"
        "case = Case('case-1', predictions={'unet': Path(sys.argv[1])})\n"
        "start = start_from_prediction(case, 'unet')\n"
        "for i in range(3):\n"
        "    edited = start.labels.copy()\n    edited[0, 0, i] = 1\n"
        "    save_correction(Path(sys.argv[2]), start, edited, 'Ann')\n"
    )
    command = [sys.executable, "-c", code, str(case.predictions["unet"]), str(workspace)]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert len(versions(workspace, "case-1")) == 6
    assert {version.status() for version in versions(workspace, "case-1")} == {"ok"}


def test_names_that_are_no_file_names_are_made_so(workspace, case, tmp_path):
    strange = Case("../../etc/case one", predictions={"a/b": case.predictions["unet"]})
    start = start_from_prediction(strange, "a/b")
    version = save_correction(workspace, start, painted(start.labels), "Dr. Ümläut / O'Neil 🧠" + "x" * 300)
    assert version.path.is_relative_to(workspace / "corrections")
    assert len(version.path.parts) == len((workspace / "corrections").parts) + 2
    assert len(version.path.name.encode()) < 255
    assert [found.path for found in versions(workspace, "../../etc/case one")] == [version.path]
    assert not versions(workspace, "etc/case one")


def test_a_correction_that_was_taken_back_is_no_version(workspace, case):
    with open_store(workspace) as store:
        first, second = save(workspace, case), save(workspace, case, "Ben")
        for version in (first, second):
            store.record(version.event)
        store.undo(second.event.uid, "Ben")
        left = versions(workspace, "case-1", events=store.events("case-1"))
        assert [version.event.who for version in left] == ["Ann"]
        assert store.state("case-1").correction == first.event
    assert second.path.is_file()


def test_the_store_can_be_made_whole_from_the_files(workspace, case):
    version = save(workspace, case)
    with open_store(workspace) as store:
        assert store.add(found.event for found in versions(workspace, "case-1")) == 1
        assert store.add(found.event for found in versions(workspace, "case-1")) == 0
        assert store.events() == [version.event]


def test_pseudonyms_cover_the_files_names(workspace, case):
    version = save(workspace, case)
    (other,) = pseudonyms_of(workspace).of([version.event], ["case-1"])
    text = json.dumps(other.row)
    assert "case-1_" not in text
    assert "Ann" not in text


def test_what_lies_there_and_is_no_version_is_passed_over(workspace, case):
    version = save(workspace, case)
    folder = folder_of(workspace, "case-1")
    (folder / "note.json").write_text("not json")
    (folder / "other.json").write_text(json.dumps(Event("note", "case-1", "Ann", note="x").row))
    outside = dict(version.event.row, payload={"file": "../../data/case-1_unet.nii.gz"})
    (folder / "outside.json").write_text(json.dumps(outside))
    (folder / "empty.nii.gz").touch()
    assert [found.path for found in versions(workspace, "case-1")] == [version.path]


def test_saving_keeps_to_the_place_and_says_so(workspace, case):
    inside = np.zeros(SHAPE, dtype=bool)
    inside[5, 7, 0] = True
    version = save(workspace, case, inside=inside, flag="ET-1")
    assert version.event.payload["left_out"] == 2
    assert version.event.payload["voxels"] == 1
    with pytest.raises(ReviewError, match="3 changed voxels lie outside"):
        save(workspace, case, inside=np.zeros(SHAPE, dtype=bool))


# Bad input


def test_a_source_that_changed_is_refused_with_a_way_out(workspace, case):
    start = start_from_prediction(case, "unet")
    write(case.predictions["unet"], some_labels((2, 1, 4)))
    with pytest.raises(SourceChanged, match="Save once more") as refusal:
        save_correction(workspace, start, painted(start.labels), "Ann")
    assert start.hash[:12] in str(refusal.value)
    assert not folder_of(workspace, "case-1").exists()
    version = save_correction(workspace, start, painted(start.labels), "Ann", though_changed=True)
    assert version.event.payload["source_changed"]
    assert version.event.payload["from_sha256"] == start.hash
    assert np.array_equal(read_label_map(version.path), painted(start.labels))


def test_a_source_that_is_gone_is_refused_and_can_still_be_saved(workspace, case):
    start = start_from_prediction(case, "unet")
    case.predictions["unet"].unlink()
    with pytest.raises(SourceChanged, match="no longer there"):
        save_correction(workspace, start, painted(start.labels), "Ann")
    version = save_correction(workspace, start, painted(start.labels), "Ann", though_changed=True)
    assert version.status() == "ok"


def test_a_version_that_was_changed_is_not_taken_up(workspace, case):
    version = save(workspace, case)
    write(version.path, some_labels((3, 3, 3)))
    assert version.status() == "changed"
    with pytest.raises(ReviewError, match="changed since it was saved"):
        start_from_version(version)
    version.path.unlink()
    with pytest.raises(ReviewError, match="missing"):
        start_from_version(version)


def test_nothing_changed_is_nothing_to_save(workspace, case):
    start = start_from_prediction(case, "unet")
    with pytest.raises(ReviewError, match="no voxel is changed"):
        save_correction(workspace, start, start.labels, "Ann")


def test_a_workspace_that_vanished_is_told(workspace, case):
    start = start_from_prediction(case, "unet")
    workspace.rmdir()
    with pytest.raises(WorkspaceError, match="no longer there"):
        save_correction(workspace, start, painted(start.labels), "Ann")
    assert not workspace.exists()


def test_a_folder_that_cannot_be_written_is_told(workspace, case):
    start = start_from_prediction(case, "unet")
    folder_of(workspace, "case-1").parent.mkdir()
    folder_of(workspace, "case-1").write_text("a file where a folder should be")
    with pytest.raises(WorkspaceError, match="not saved"):
        save_correction(workspace, start, painted(start.labels), "Ann")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_workspace_that_is_read_only_is_told(workspace, case):
    start = start_from_prediction(case, "unet")
    workspace.chmod(0o500)
    try:
        with pytest.raises(WorkspaceError, match="make it writable"):
            save_correction(workspace, start, painted(start.labels), "Ann")
    finally:
        workspace.chmod(0o700)


def test_a_failure_in_the_middle_leaves_nothing(workspace, case, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    start = start_from_prediction(case, "unet")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        save_correction(workspace, start, painted(start.labels), "Ann")
    assert not list(folder_of(workspace, "case-1").iterdir())


# Real data


@pytest.mark.slow
@pytest.mark.parametrize("model", ["deepscan", "baseline_attention"])
def test_ten_painted_voxels_of_a_real_prediction_are_all_that_differs(real_data, workspace, model):
    from BraTSRefineLib.cohort import discover

    case = discover(real_data / "brats2020")["BraTS20_Training_001"]
    start = start_from_prediction(case, model)
    edited = start.labels.copy()
    flat = np.flatnonzero(edited == 0)[1000:1010]
    edited.ravel()[flat] = 4
    version = save_correction(workspace, start, edited, "Ann")
    source, written = SimpleITK.ReadImage(str(case.predictions[model])), SimpleITK.ReadImage(str(version.path))
    differs = SimpleITK.GetArrayFromImage(source) != SimpleITK.GetArrayFromImage(written)
    assert np.array_equal(np.flatnonzero(differs), flat)
    assert written.GetPixelID() == source.GetPixelID()
    assert read_nifti_header(version.path).raw == read_nifti_header(case.predictions[model]).raw

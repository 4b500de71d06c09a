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

from BraTSRefineLib.cohort import Case, WorkspaceError, read_geometry, read_label_map
from BraTSRefineLib.cohort.nifti_header import read_nifti_header
from BraTSRefineLib.regions import CONVENTIONS, label_convention
from BraTSRefineLib.review import Event, ReviewError, open_store, pseudonyms_of
from BraTSRefineLib.review.correction_drafts import STILL_THERE_S, DraftKeeper, drafts
from BraTSRefineLib.review.correction_labels import joined, kept_inside, neighbourhood, tissues_of
from BraTSRefineLib.review.corrections import (
    SourceChanged,
    folder_of,
    save_correction,
    start_from_prediction,
    start_from_version,
    versions,
)

SHAPE = (6, 8, 10)
OBLIQUE = (0.8660254, -0.5, 0.0, 0.5, 0.8660254, 0.0, 0.0, 0.0, 1.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def some_labels(values=(1, 2, 4)) -> np.ndarray:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for i, value in enumerate(values):
        labels[1 + i : 3 + i, 2:6, 2:7] = value
    return labels


def write(path: Path, labels: np.ndarray, dtype="uint8", spacing=(1.0, 1.0, 1.0), direction=UPRIGHT) -> Path:
    image = SimpleITK.GetImageFromArray(labels.astype(dtype))
    image.SetSpacing(spacing)
    image.SetOrigin((-10.25, 20.5, -3.75))
    image.SetDirection(direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    return path


def with_codes(path: Path, qform: int, sform: int) -> Path:
    """The same uncompressed file with other codes in its header, as other programs write them."""
    content = bytearray(path.read_bytes())
    struct.pack_into("<2h", content, 252, qform, sform)
    path.write_bytes(content)
    return path


@pytest.fixture
def workspace(tmp_path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def case(tmp_path) -> Case:
    path = write(tmp_path / "data" / "case-1_unet.nii.gz", some_labels())
    image = write(tmp_path / "data" / "case-1_t1c.nii.gz", np.full(SHAPE, 500), "int16", (1.0, 1.0, 2.5), OBLIQUE)
    conventions = CONVENTIONS["brats2021"]
    return Case("case-1", images={"t1c": image}, predictions={"unet": path}, labels=conventions)


def painted(labels: np.ndarray, value: int = 4, count: int = 3) -> np.ndarray:
    edited = labels.copy()
    edited[5, 7, :count] = value
    return edited


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
    assert version.what_it_came_from == start.hash
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


# Labels


def test_labels_of_the_convention_can_be_painted_and_an_unknown_one_stays():
    labels = some_labels((1, 2, 5))
    found = tissues_of(CONVENTIONS["brats2021"], labels)
    assert [(tissue.label, tissue.name, tissue.known) for tissue in found] == [
        (5, "label 5", False),
        (2, "ED", True),
        (1, "NCR", True),
        (4, "ET", True),
    ]
    masks = {tissue.label: labels == tissue.label for tissue in found}
    assert np.array_equal(joined(labels, masks), labels)


@pytest.mark.parametrize("name", [*CONVENTIONS, "NCR=3,ED=7,ET=200"])
def test_every_convention_goes_there_and_back(name):
    convention = label_convention(name)
    labels = np.zeros(SHAPE, dtype=np.uint8)
    for i, label in enumerate(sorted(convention.labels)):
        labels[i] = label
    found = tissues_of(convention, labels)
    assert {tissue.label for tissue in found} == convention.labels
    assert np.array_equal(joined(labels, {t.label: labels == t.label for t in found}), labels)


def test_without_a_convention_there_is_something_to_paint_with():
    assert [t.label for t in tissues_of(None, np.zeros(SHAPE, np.uint8))] == [1]
    assert [t.label for t in tissues_of(None, some_labels((3, 9)))] == [3, 9]


def test_where_tissues_overlap_what_was_painted_wins():
    start = np.array([[[2, 2, 0, 4]]], dtype=np.uint8)
    masks = {2: start == 2, 1: np.array([[[False, True, True, True]]]), 4: start == 4}
    assert joined(start, masks).tolist() == [[[2, 1, 1, 1]]]


def test_what_was_painted_outside_is_not_taken_and_counted():
    start = some_labels()
    edited = painted(start)
    inside = np.zeros(SHAPE, dtype=bool)
    inside[5, 7, 0] = True
    taken, left_out = kept_inside(start, edited, inside)
    assert left_out == 2
    assert np.argwhere(taken != start).tolist() == [[5, 7, 0]]
    assert kept_inside(start, edited, None)[1] == 0


def test_saving_keeps_to_the_place_and_says_so(workspace, case):
    inside = np.zeros(SHAPE, dtype=bool)
    inside[5, 7, 0] = True
    version = save(workspace, case, inside=inside, flag="ET-1")
    assert version.event.payload["left_out"] == 2
    assert version.event.payload["voxels"] == 1
    with pytest.raises(ReviewError, match="3 changed voxels lie outside"):
        save(workspace, case, inside=np.zeros(SHAPE, dtype=bool))


@pytest.mark.parametrize("direction", [UPRIGHT, OBLIQUE])
@pytest.mark.parametrize("box", [(), (4.0, 25.0, -1.0, 7.0, 27.0, 3.0)])
def test_the_neighbourhood_is_what_lies_within_ten_millimetres(tmp_path, direction, box):
    labels = np.zeros((20, 30, 40), dtype=np.uint8)
    geometry = read_geometry(write(tmp_path / "p.nii.gz", labels, spacing=(1.0, 1.2, 3.0), direction=direction))
    centre, volume = (5.0, 26.0, 1.0), 0.5
    mask = neighbourhood(geometry, centre, volume, box)
    low, high = (np.array(box[:3]), np.array(box[3:])) if box else (np.array(centre), np.array(centre))
    radius = 10 if box else 10 + (3 * 500 / (4 * np.pi)) ** (1 / 3)
    for index in np.random.default_rng(0).integers(0, labels.shape, (300, 3)):
        position = np.array(geometry.to_physical(tuple(map(float, index))))
        distance = np.linalg.norm(np.maximum(np.maximum(low - position, position - high), 0))
        assert mask[tuple(index)] == (distance <= radius)
    assert mask.any()


def test_an_older_table_of_flags_has_no_boxes():
    from BraTSRefineLib.cohort.volumes import Geometry

    geometry = Geometry((40, 40, 40), (1.0,) * 3, (0.0,) * 3, UPRIGHT)
    mask = neighbourhood(geometry, (20.0, 20.0, 20.0), 0.0, (np.nan,) * 6)
    assert mask.sum() == neighbourhood(geometry, (20.0, 20.0, 20.0), 0.0).sum() > 4000


# Drafts


def kept(workspace, case, who="Ann") -> DraftKeeper:
    start = start_from_prediction(case, "unet")
    keeper = DraftKeeper(workspace, start, who, "ET-1")
    keeper.keep(painted(start.labels))
    return keeper


def test_a_draft_brings_back_the_edit_and_what_it_came_from(workspace, case):
    kept(workspace, case).let_go()
    write(case.predictions["unet"], some_labels((4, 4, 4)))
    (draft,) = drafts(workspace, "case-1", "Ann")
    start = draft.start()
    assert draft.flag == "ET-1"
    assert np.array_equal(start.labels, some_labels())
    assert np.array_equal(draft.labels(), painted(some_labels()))
    assert not start.is_unchanged()
    with pytest.raises(SourceChanged):
        save_correction(workspace, start, draft.labels(), "Ann")
    assert save_correction(workspace, start, draft.labels(), "Ann", though_changed=True).status() == "ok"


def test_a_draft_goes_when_it_is_saved_or_discarded(workspace, case):
    keeper = kept(workspace, case)
    assert keeper.is_kept
    keeper.discard()
    assert not keeper.folder.exists()
    kept(workspace, case).let_go()
    drafts(workspace, "case-1")[0].discard()
    assert not drafts(workspace, "case-1")


def test_a_draft_that_is_worked_on_elsewhere_is_not_offered(workspace, case):
    keeper = kept(workspace, case)
    assert not drafts(workspace, "case-1")
    about = keeper.folder / "draft.json"
    long_ago = about.stat().st_mtime - STILL_THERE_S - 1
    os.utime(about, (long_ago, long_ago))
    assert len(drafts(workspace, "case-1")) == 1
    assert not drafts(workspace, "case-1", "Ben")
    assert not drafts(workspace, "case-1", "Ann", "another model")


def test_a_draft_survives_the_kill_of_its_program(workspace, case):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom BraTSRefineLib.cohort import Case\n"
        "from BraTSRefineLib.review.corrections import *\n"
        "from BraTSRefineLib.review.correction_drafts import *\n"
        "start = start_from_prediction(Case('case-1', predictions={'unet': Path(sys.argv[1])}), 'unet')\n"
        "keeper = DraftKeeper(Path(sys.argv[2]), start, 'Ann')\n"
        "edited = start.labels.copy()\nedited[0, 0, :4] = 1\nkeeper.keep(edited)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(case.predictions["unet"]), str(workspace)])
    assert killed.returncode == -9
    (draft,) = drafts(workspace, "case-1", "Ann")
    assert np.count_nonzero(draft.labels() != draft.start().labels) == 4


def test_two_windows_have_drafts_of_their_own(workspace, case):
    one, other = kept(workspace, case), kept(workspace, case)
    assert one.folder != other.folder
    one.let_go()
    other.let_go()
    assert len(drafts(workspace, "case-1", "Ann")) == 2


def test_a_damaged_draft_is_passed_over(workspace, case):
    keeper = kept(workspace, case)
    (keeper.folder / "draft.json").write_text("{")
    assert not drafts(workspace, "case-1")
    (keeper.folder / "draft.json").write_text("[]")
    assert not drafts(workspace, "case-1")


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

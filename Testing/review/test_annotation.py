"""The annotator's list, its effort, and the labels that training reads."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.cohort import (
    Case,
    Cohort,
    Geometry,
    Workspace,
    discover,
    read_geometry,
    read_label_map,
    write_volume,
)
from BraTSRefineLib.regions import label_convention
from BraTSRefineLib.review.annotation_effort import effort
from BraTSRefineLib.review.annotation_export import REFUSED, SAME, WRITTEN, export_annotations
from BraTSRefineLib.review.annotation_list import annotation_list, open_list
from BraTSRefineLib.review.annotation_table import cart_table, write_annotation_list
from BraTSRefineLib.review.file_hash import file_hash
from BraTSRefineLib.review.flag_types import FLAG_COLUMNS, ReviewError
from BraTSRefineLib.review.store_events import Event
from BraTSRefineLib.review.store_state import states

GRID = Geometry((6, 5, 8), (1.0, 1.0, 3.0), (-10.0, 20.0, -30.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
LABELS = np.zeros((8, 5, 6), np.uint8)
LABELS[2:5, 1:4, 1:4], LABELS[3, 2, 2:4], LABELS[3, 2, 1] = 2, 4, 1
CHANNELS = ("t1n", "t1c", "t2w", "t2f")


@pytest.fixture
def cohort(tmp_path) -> Cohort:
    """Three cases with images and predictions in 1, 2, 4; one of them ("c") without any prediction."""
    cases = []
    for name in "abc":
        images = {channel: tmp_path / "data" / name / f"{name}_{channel}.nii.gz" for channel in CHANNELS}
        for number, path in enumerate(images.values()):
            write_volume(path, np.full(LABELS.shape, number + 1, np.float32), GRID)
        prediction = tmp_path / "data" / "predictions" / "unet" / f"{name}.nii.gz"
        write_volume(prediction, LABELS, GRID)
        predictions = {} if name == "c" else {"unet": prediction}
        convention = label_convention("brats2021")
        cases.append(Case(name, center="X", images=images, predictions=predictions, labels=convention))
    return Cohort(tmp_path / "data", "BraTS folders", tuple(cases))


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


def corrected(workspace: Workspace, case: str, labels: np.ndarray = LABELS, who: str = "Ann") -> Event:
    """A saved correction, as its event."""
    path = workspace.root / "corrections" / case / f"{case}-{who}.nii.gz"
    write_volume(path, labels, GRID)
    payload = {"file": path.relative_to(workspace.root).as_posix(), "sha256": file_hash(path)}
    return Event("correction", case, who, model="unet", payload=payload)


def accepted(cohort: Cohort, case: str, who: str = "Ann") -> Event:
    digest = file_hash(cohort[case].predictions["unet"])
    return Event("decision", case, who, decision="accept", model="unet", prediction_hash=digest)


def flags(*rows: dict) -> pd.DataFrame:
    ends = [f"{axis}_{end}_mm" for end in ("low", "high") for axis in "xyz"]
    table = pd.DataFrame(
        [{"region": "ET", "model": ""} | row | dict(zip(ends, row["box"], strict=True)) for row in rows]
    )
    return table.reindex(columns=FLAG_COLUMNS)


def box(first: int, last: int) -> tuple[float, ...]:
    """All of the plane from one slice to another, as the outermost voxels' centres in mm."""
    return (-10.0, 20.0, -30.0 + 3 * first, -5.0, 24.0, -30.0 + 3 * last)


class TestEffort:
    def test_volume_is_summed_and_a_slice_counts_once(self, cohort):
        table = flags(
            {"case": "a", "volume_ml": 1.5, "box": box(2, 4)},
            {"case": "a", "volume_ml": 0.5, "box": box(4, 5), "region": "WT"},
            {"case": "b", "volume_ml": 9.0, "box": box(0, 7)},
        )
        found = effort(cohort["a"], table)
        assert (found.flags, found.flagged_ml, found.slices) == (2, 2.0, 4)

    def test_a_case_without_a_flag_takes_nothing(self, cohort):
        found = effort(cohort["a"], flags({"case": "b", "volume_ml": 1.0, "box": box(0, 1)}))
        assert (found.flags, found.flagged_ml, found.slices) == (0, 0.0, 0)

    def test_flags_of_an_older_table_have_no_box_and_the_slices_stay_unknown(self, cohort):
        table = flags({"case": "a", "volume_ml": 1.0, "box": (np.nan,) * 6})
        assert effort(cohort["a"], table).slices is None

    def test_one_model_s_own_flags_are_not_added_to_those_of_the_cohort(self, cohort):
        rows = [{"case": "a", "volume_ml": 1.0, "box": box(1, 1), "model": model} for model in ("unet", "")]
        assert effort(cohort["a"], flags(*rows)).flagged_ml == 1.0
        assert effort(cohort["a"], flags(rows[0])).flagged_ml == 1.0


class TestTheList:
    selected = pd.DataFrame({"rank": [1, 2, 3], "case": ["b", "a", "gone"], "reason": ["why b", "why a", ""]}).assign(
        center="X", uncertainty=[0.3, 0.2, 0.1]
    )

    def test_it_holds_reason_and_effort_in_the_order_of_the_ranks(self, cohort):
        table = flags({"case": "b", "volume_ml": 2.0, "box": box(1, 3)})
        found = annotation_list(cohort, self.selected, [], table)
        assert found.table["case"].tolist() == ["b", "a"]
        first = found.table.iloc[0]
        assert (first["reason"], first["flagged_ml"], first["slices"], first["state"]) == ("why b", 2.0, 3, "to do")
        assert found.gone == ("gone",)
        assert found.progress == "0 of 2 done"

    def test_without_flags_the_effort_is_unknown_and_not_zero(self, cohort):
        row = annotation_list(cohort, self.selected, []).table.iloc[0]
        assert pd.isna(row["flagged_ml"])
        assert pd.isna(row["slices"])
        assert pd.isna(row["flags"])

    def test_begun_corrected_done_and_opened_again(self, cohort, workspace):
        def state(*events):
            return annotation_list(cohort, self.selected, events).table.iloc[0]["state"]

        begun = Event("opened", "b", "Ann", payload={"purpose": "annotation"})
        looked = Event("opened", "b", "Ann")
        done = Event("done", "b", "Ann")
        undone = Event("undo", "b", "Ann", refers=done.uid)
        assert state(looked) == "to do"
        assert state(begun) == "in work"
        assert state(begun, done) == "done"
        assert state(begun, done, undone) == "in work"
        assert state(done, corrected(workspace, "b")) == "in work"

    def test_the_newest_selection_of_the_workspace_is_the_list(self, cohort, workspace):
        assert open_list(workspace, cohort, []) is None
        for run, case in (("select-1", "a"), ("select-2", "b")):
            path = workspace.run(run) / "outputs" / "selected.csv"
            path.parent.mkdir(parents=True)
            pd.DataFrame({"rank": [1], "case": [case], "reason": ["x"]}).to_csv(path, index=False)
        assert open_list(workspace, cohort, []).table["case"].tolist() == ["b"]

    def test_it_is_written_as_csv_and_as_cart_and_never_over_a_file(self, cohort, workspace, tmp_path):
        found = annotation_list(cohort, self.selected, [])
        events = [corrected(workspace, "a")]
        for name, cart in (("list.csv", False), ("cart.csv", True)):
            write_annotation_list(found, tmp_path / name, cohort, events, workspace.root, cart=cart)
        assert pd.read_csv(tmp_path / "list.csv")["case"].tolist() == ["b", "a"]
        cart = pd.read_csv(tmp_path / "cart.csv", keep_default_na=False)
        assert list(cart.columns) == ["uid", *CHANNELS, "reference", "annotation"]
        assert cart["t1c"].tolist() == ["b/b_t1c.nii.gz", "a/a_t1c.nii.gz"]
        assert cart["annotation"].tolist() == ["", "../workspace/corrections/a/a-Ann.nii.gz"]
        before = (tmp_path / "list.csv").read_bytes()
        with pytest.raises(RuntimeError, match="is there already and stays"):
            write_annotation_list(found, tmp_path / "list.csv", cohort, [], workspace.root, cart=True)
        assert (tmp_path / "list.csv").read_bytes() == before

    def test_a_resource_that_is_missing_is_an_empty_cell(self, cohort, workspace):
        assert cart_table(cohort, ["c"], {}, workspace.root)["reference"].tolist() == [""]


class TestForNnunet:
    def save(self, cohort, workspace, events, folder, names="ab", **options):
        return export_annotations(cohort, names, states(events), workspace.root, folder, **options)

    def test_labels_are_consecutive_on_the_source_s_grid_and_dataset_json_says_what_they_are(
        self, cohort, workspace, tmp_path
    ):
        folder = tmp_path / "Dataset001"
        result = self.save(cohort, workspace, [corrected(workspace, "a"), accepted(cohort, "b")], folder)
        assert [row.status for row in result.saved] == [WRITTEN, WRITTEN]
        assert "correction by Ann" in result.saved[0].source
        assert "prediction of unet, accepted by Ann" in result.saved[1].source
        labels = read_label_map(folder / "labelsTr" / "a.nii.gz")
        expected = LABELS.copy()
        expected[LABELS == 4] = 3
        assert (labels == expected).all()
        assert not read_geometry(folder / "labelsTr" / "a.nii.gz").difference(GRID)
        about = json.loads((folder / "dataset.json").read_text())
        assert about["labels"] == {"background": 0, "NCR": 1, "ED": 2, "ET": 3}
        assert about["channel_names"] == {"0": "t1n", "1": "t1c", "2": "t2w", "3": "t2f"}
        assert (about["numTraining"], about["file_ending"]) == (2, ".nii.gz")
        assert "research use only" in about["description"]

    def test_what_was_saved_is_found_again_with_its_images(self, cohort, workspace, tmp_path):
        folder = tmp_path / "nnUNet_raw" / "Dataset001"
        self.save(cohort, workspace, [corrected(workspace, "a")], folder, "a", images="copies")
        found = discover(folder).cases[0]
        assert (found.case, found.labels.name, set(found.images)) == ("a", "brats2023", set(CHANNELS))

    def test_images_are_links_or_copies_numbered_as_the_channels(self, cohort, workspace, tmp_path):
        events = [corrected(workspace, "a")]
        for how in ("links", "copies"):
            self.save(cohort, workspace, events, tmp_path / how, "a", images=how)
            image = tmp_path / how / "imagesTr" / "a_0001.nii.gz"
            assert image.is_symlink() == (how == "links")
            assert image.read_bytes() == cohort["a"].images["t1c"].read_bytes()
            assert len(list((tmp_path / how / "imagesTr").iterdir())) == 4

    def test_the_labels_of_a_dataset_json_that_is_there_are_taken_and_it_stays(self, cohort, workspace, tmp_path):
        folder = tmp_path / "Dataset002"
        folder.mkdir()
        stated = {"labels": {"background": 0, "edema": 1, "necrosis": 2, "enhancing": 3}, "numTraining": 7}
        text = json.dumps(stated | {"channel_names": {"0": "T1Gd"}})
        (folder / "dataset.json").write_text(text)
        result = self.save(cohort, workspace, [corrected(workspace, "a")], folder, "a", images="copies")
        labels = read_label_map(folder / "labelsTr" / "a.nii.gz")
        assert (labels[LABELS == 2] == 1).all()
        assert (labels[LABELS == 1] == 2).all()
        assert (labels[LABELS == 4] == 3).all()
        assert [path.name for path in (folder / "imagesTr").iterdir()] == ["a_0000.nii.gz"]
        assert (folder / "dataset.json").read_text() == text
        assert "numTraining has to be 1" in result.notes[0]

    def test_saving_again_adds_what_is_new_and_counts_it(self, cohort, workspace, tmp_path):
        events = [corrected(workspace, "a")]
        self.save(cohort, workspace, events, tmp_path / "d", "a")
        result = self.save(cohort, workspace, [*events, accepted(cohort, "b")], tmp_path / "d")
        assert [row.status for row in result.saved] == [SAME, WRITTEN]
        assert json.loads((tmp_path / "d" / "dataset.json").read_text())["numTraining"] == 2

    def test_a_file_that_is_there_is_never_replaced(self, cohort, workspace, tmp_path):
        path = tmp_path / "d" / "labelsTr" / "a.nii.gz"
        self.save(cohort, workspace, [corrected(workspace, "a")], tmp_path / "d", "a")
        before = path.read_bytes()
        other = LABELS.copy()
        other[0, 0, 0] = 1
        result = self.save(cohort, workspace, [corrected(workspace, "a", other)], tmp_path / "d", "a")
        assert result.saved[0].status == REFUSED
        assert "is there already and stays as it is" in result.saved[0].why
        assert path.read_bytes() == before

    @pytest.mark.parametrize("is_folder", [False, True])
    def test_nor_is_anything_else_of_that_name(self, cohort, workspace, tmp_path, is_folder):
        path = tmp_path / "d" / "labelsTr" / "a.nii.gz"
        path.parent.mkdir(parents=True)
        path.mkdir() if is_folder else path.write_text("mine")
        result = self.save(cohort, workspace, [corrected(workspace, "a")], tmp_path / "d", "a")
        assert "is there already" in result.saved[0].why
        assert path.is_dir() == is_folder

    def test_a_case_without_a_channel_is_refused_and_leaves_nothing(self, cohort, workspace, tmp_path):
        del cohort["a"].images["t2f"]
        result = self.save(cohort, workspace, [corrected(workspace, "a")], tmp_path / "d", "a", images="links")
        assert "no image t2f" in result.saved[0].why
        assert not (tmp_path / "d").exists()


class TestForBrats:
    def test_each_case_has_its_folder_and_keeps_its_labels(self, cohort, workspace, tmp_path):
        export_annotations(
            cohort, "a", states([corrected(workspace, "a")]), workspace.root, tmp_path / "out", "brats", "copies"
        )
        names = {path.name for path in (tmp_path / "out" / "a").iterdir()}
        assert names == {"a-seg.nii.gz", *(f"a-{channel}.nii.gz" for channel in CHANNELS)}
        assert (read_label_map(tmp_path / "out" / "a" / "a-seg.nii.gz") == LABELS).all()
        assert discover(tmp_path / "out").cases[0].reference.name == "a-seg.nii.gz"


class TestWhatIsRefused:
    def refusal(self, cohort, workspace, folder, *events) -> str:
        result = export_annotations(cohort, "a", states(events), workspace.root, folder)
        assert result.saved[0].status == REFUSED
        assert not (folder / "labelsTr" / "a.nii.gz").exists()
        return result.saved[0].why

    def test_a_case_that_nobody_corrected_or_accepted(self, cohort, workspace, tmp_path):
        minor = Event("decision", "a", "Ann", decision="minor", model="unet")
        for events in ((), (minor,)):
            assert "neither a correction nor an accepted" in self.refusal(cohort, workspace, tmp_path / "d", *events)

    def test_a_bad_image(self, cohort, workspace, tmp_path):
        bad = Event("decision", "a", "Ann", decision="bad image", model="unet")
        assert "bad image" in self.refusal(cohort, workspace, tmp_path / "d", corrected(workspace, "a"), bad)

    def test_a_file_that_was_changed_since(self, cohort, workspace, tmp_path):
        event = accepted(cohort, "a")
        write_volume(cohort["a"].predictions["unet"], LABELS * 0, GRID)
        assert "changed since it was accepted" in self.refusal(cohort, workspace, tmp_path / "d", event)
        event = corrected(workspace, "a")
        write_volume(workspace.root / event.payload["file"], LABELS * 0, GRID)
        assert "changed since it was saved" in self.refusal(cohort, workspace, tmp_path / "d", event)

    def test_a_correction_that_is_gone_or_lies_elsewhere(self, cohort, workspace, tmp_path):
        for file, words in (("corrections/none.nii.gz", "is gone"), ("../data/a/a_t1c.nii.gz", "outside")):
            event = Event("correction", "a", "Ann", model="unet", payload={"file": file})
            assert words in self.refusal(cohort, workspace, tmp_path / "d", event)

    def test_a_label_that_the_convention_does_not_know(self, cohort, workspace, tmp_path):
        strange = LABELS.copy()
        strange[0, 0, 0] = 7
        assert "label 7" in self.refusal(cohort, workspace, tmp_path / "d", corrected(workspace, "a", strange))

    def test_a_label_map_on_another_grid(self, cohort, workspace, tmp_path):
        event = corrected(workspace, "a")
        moved = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 0.0), GRID.direction)
        path = workspace.root / event.payload["file"]
        write_volume(path, LABELS, moved)
        event = Event("correction", "a", "Ann", model="unet", payload={"file": event.payload["file"]})
        assert "another grid" in self.refusal(cohort, workspace, tmp_path / "d", event)

    def test_a_layout_or_images_that_there_are_not(self, cohort, workspace, tmp_path):
        for options in ({"layout": "dicom"}, {"images": "maybe"}):
            with pytest.raises(ReviewError, match="it is one of"):
                export_annotations(cohort, "a", {}, workspace.root, tmp_path / "d", **options)

    def test_a_dataset_json_that_names_no_tumour_or_is_damaged(self, cohort, workspace, tmp_path):
        (tmp_path / "d").mkdir()
        for text in ('{"labels": {"background": 0, "liver": 1}}', "{"):
            (tmp_path / "d" / "dataset.json").write_text(text)
            with pytest.raises(ReviewError, match=r"dataset\.json"):
                export_annotations(cohort, "a", states([corrected(workspace, "a")]), workspace.root, tmp_path / "d")

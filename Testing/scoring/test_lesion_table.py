"""The table of lesions and its files."""

import numpy as np
import pandas as pd
import pytest

from BraTSRefineLib.cohort.volumes import Geometry
from BraTSRefineLib.cohort.workspace import Workspace, WorkspaceError
from BraTSRefineLib.scoring import LESION_COLUMNS, lesionwise, write_lesions
from BraTSRefineLib.scoring.lesion_table import lesion_row, lesion_table

FLIPPED = Geometry((20, 16, 12), (0.5, 1.0, 2.0), (10.0, -20.0, 5.0), (-1.0, 0, 0, 0, -1, 0, 0, 0, 1))


@pytest.fixture
def rows():
    """A matched, a missed and an invented lesion of 1 mm³ voxels."""
    reference, prediction = np.zeros((2, 12, 16, 20), bool)
    reference[1:5, 1:5, 1:5] = True
    prediction[1:5, 1:5, 1:5] = True
    reference[7:11, 10:14, 1:5] = True
    prediction[7:11, 1:5, 14:18] = True
    scores = lesionwise(reference, prediction, (2.0, 1.0, 0.5), preset="brats2023-met")
    return [lesion_row("001", "unet", "WT", lesion, FLIPPED, "brats2023-met") for lesion in scores.rows]


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "Ärzte space")


def test_a_lesion_is_a_row_with_its_position_in_mm(rows):
    table = lesion_table(rows)
    assert tuple(table.columns) == LESION_COLUMNS
    assert table["status"].tolist() == ["matched", "missed", "false positive"]
    assert table["volume_ml"].tolist() == [0.064] * 3
    assert table[["l_mm", "p_mm", "s_mm"]].values.tolist() == [
        [10 - 2.5 * 0.5, -20 - 2.5, 5 + 2.5 * 2],
        [10 - 2.5 * 0.5, -20 - 11.5, 5 + 8.5 * 2],
        [10 - 15.5 * 0.5, -20 - 2.5, 5 + 8.5 * 2],
    ]


def test_columns_have_their_kinds_with_and_without_rows(rows):
    for table in (lesion_table(rows), lesion_table([])):
        kinds = {column: kind.kind for column, kind in table.dtypes.items()}
        assert {column for column, kind in kinds.items() if kind == "f"} == {
            "volume_ml", "l_mm", "p_mm", "s_mm", "dice", "hd95_mm",
        }  # fmt: skip
        assert (kinds["lesion"], kinds["predictions"], kinds["counted"]) == ("i", "i", "b")


@pytest.mark.parametrize("count", [3, 0])
def test_both_files_hold_the_table(rows, workspace, count):
    table = lesion_table(rows[:count])
    write_lesions(table, workspace)
    pd.testing.assert_frame_equal(pd.read_parquet(workspace.lesions_parquet), table)
    as_text = pd.read_csv(workspace.lesions_csv, dtype={"case": str})
    pd.testing.assert_frame_equal(as_text, table, check_dtype=count > 0)
    assert list(as_text["case"]) == ["001"] * count


def test_the_same_lesions_give_the_same_bytes(rows, workspace):
    write_lesions(lesion_table(rows), workspace)
    first = workspace.lesions_csv.read_bytes(), workspace.lesions_parquet.read_bytes()
    write_lesions(pd.read_parquet(workspace.lesions_parquet), workspace)
    assert (workspace.lesions_csv.read_bytes(), workspace.lesions_parquet.read_bytes()) == first


def test_a_file_that_cannot_be_written_is_named_and_nothing_partial_is_left(rows, workspace):
    workspace.lesions_csv.mkdir()
    with pytest.raises(WorkspaceError, match=r"lesions\.csv: not written"):
        write_lesions(lesion_table(rows), workspace)
    assert [path.name for path in workspace.root.iterdir()] == ["lesions.csv"]

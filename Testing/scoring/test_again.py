import pandas as pd
import pytest

from BraTSRefineLib.cohort import Workspace
from BraTSRefineLib.scoring import SCORE_COLUMNS, ScoringError, write_scores
from BraTSRefineLib.scoring.again import scored_settings


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "w")


def written(workspace, rows):
    table = pd.DataFrame(
        [("A", "m", "WT", metric, 0.5, "ok", convention) for metric, convention in rows], columns=list(SCORE_COLUMNS)
    )
    write_scores(table, workspace)


def test_a_workspace_tells_how_it_was_scored(workspace):
    written(
        workspace,
        [
            ("dice", "nan"),
            ("nsd_0.5mm", "nan"),
            ("nsd_2mm", "nan"),
            ("lesionwise_dice", "brats2023-met"),
            ("betti0_error", "nan"),
        ],
    )
    assert scored_settings(workspace) == {
        "convention": "nan",
        "lesions": "brats2023-met",
        "tolerances": [0.5, 2.0],
        "measures": ["lesions", "topology"],
    }


def test_rules_for_lesions_that_are_a_convention_too_are_told_apart(workspace):
    written(workspace, [("dice", "nan"), ("lesionwise_dice", "brats2024-gli")])
    assert scored_settings(workspace) == {"convention": "nan", "lesions": "brats2024-gli", "measures": ["lesions"]}


def test_scores_without_further_measures_are_scored_again_without(workspace):
    written(workspace, [("dice", "monai"), ("nsd_1mm", "monai")])
    assert scored_settings(workspace) == {"convention": "monai", "tolerances": [1.0], "measures": []}


def test_nothing_is_known_of_a_workspace_without_scores(workspace):
    assert scored_settings(workspace) == {}


def test_damage_is_said(workspace):
    workspace.scores_json.write_text("{")
    with pytest.raises(ScoringError, match="damaged"):
        scored_settings(workspace)

"""A team on one PostgreSQL server: every command takes ``--store``."""

from __future__ import annotations

from typing import Any

from BraTSRefineLib.cohort import Case, Cohort, Workspace, save_cohort
from BraTSRefineLib.review import Event, open_store


def test_every_command_works_on_a_server(answer, new_database, tmp_path):
    def team(*arguments: object) -> Any:
        return answer(*arguments, "--workspace", tmp_path, "--store", new_database)

    save_cohort(Cohort(tmp_path, "nnU-Net", (Case("case-1"), Case("case-2"))), Workspace(tmp_path))
    with open_store(new_database) as store:
        store.record(Event("decision", "case-1", "Ann", decision="minor", note='"quoted"\n🧠'))
    assert team("worklist")["progress"] == "1 of 2"
    assert team("decisions", "export", "--out", tmp_path / "team.csv")["events"] == 1
    assert team("decisions", "import", tmp_path / "team.csv")["new"] == 0
    assert team("decisions", "agreement")["pairs"] == []
    assert not (tmp_path / "review.sqlite").exists()

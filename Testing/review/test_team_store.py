"""A team on one PostgreSQL server: every command takes ``--store``."""

from __future__ import annotations

import json
import subprocess
import sys

from BraTSRefineLib.cohort import Case, Cohort, Workspace, save_cohort
from BraTSRefineLib.review import Event, open_store


def test_every_command_works_on_a_server(new_database, tmp_path):
    def answer(*arguments: object) -> dict:
        command = [sys.executable, "-m", "BraTSRefineLib.cli", *map(str, arguments)]
        command += ["--workspace", str(tmp_path), "--store", new_database, "--json"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    save_cohort(Cohort(tmp_path, "nnU-Net", (Case("case-1"), Case("case-2"))), Workspace(tmp_path))
    with open_store(new_database) as store:
        store.record(Event("decision", "case-1", "Ann", decision="minor", note='"quoted"\n🧠'))
    assert answer("worklist")["progress"] == "1 of 2"
    assert answer("decisions", "export", "--out", tmp_path / "team.csv")["events"] == 1
    assert answer("decisions", "import", tmp_path / "team.csv")["new"] == 0
    assert answer("decisions", "agreement")["pairs"] == []
    assert not (tmp_path / "review.sqlite").exists()

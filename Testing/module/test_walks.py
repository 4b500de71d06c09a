"""Three persons walk through the module by its keys and buttons alone; where one cannot go on, it says why."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from BraTSRefine.Standalone.host import HostError
from BraTSRefine.Standalone.walks import Walker


@pytest.fixture
def walker(host, tmp_path):
    return Walker(host, tmp_path, "tester")


def test_keys_and_clicks_are_counted_by_step(walker, bench):
    walker.tab("Worst cases")
    walker.key("V")
    walker.write(bench.worstCases.ui.filterEdit, "zz")
    step = walker.step("A filter")
    assert (step.keys, step.clicks) == (3, 2)
    assert step.picture.name == "tester-01-a-filter.png"
    assert step.picture.is_file()
    assert step.seconds > 0
    assert walker.step("Nothing more").keys == 0
    bench.worstCases.ui.filterEdit.setText("")


def test_a_key_does_what_it_does_for_a_person(walker, bench):
    case = bench.session.case
    walker.key("N")
    assert bench.session.case != case


def test_nobody_clicks_what_is_hidden_or_disabled(walker, bench):
    with pytest.raises(HostError, match=r"cannot click cancelJobButton: it is (hidden|disabled)"):
        walker.click(bench.ui.cancelJobButton)


def test_what_was_not_seen_ends_the_walk(walker):
    with pytest.raises(HostError, match="The tester did not see the moon"):
        walker.see(False, "the moon")


def test_an_entry_that_is_not_there_is_named_with_those_that_are(walker, bench):
    with pytest.raises(HostError, match="'no model' is not in modelCombo: fold_0"):
        walker.choose(bench.ui.modelCombo, "no model")


def test_the_window_stays_as_small_as_it_was_made_whatever_the_case_has_to_tell(host, bench):
    for name in host.widget.panelNames():
        host.widget.showPanel(name)
        for case in bench.session.caseNames:
            host.widget.showCase(case)
            host.settle()
            assert (host.window.width(), host.window.height()) == (1280, 800), f"{name}, {case}"


@pytest.mark.slow
@pytest.mark.parametrize("person", ["clinician", "researcher", "annotator"])
def test_the_whole_walk(person, phantom_cohort, scored_workspace, tmp_path):
    """By the command line, as a user replays it; the clinician's records are in the store afterwards."""
    workspace = shutil.copytree(scored_workspace, tmp_path / "workspace")
    pictures = tmp_path / "pictures"
    command = ["review", str(phantom_cohort), "--workspace", str(workspace), "--offscreen", "--walk", person]
    done = subprocess.run(
        [sys.executable, "-m", "BraTSRefineLib.cli", *command, "--screenshots", str(pictures)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{person}: " in done.stdout
    assert len(list(pictures.glob(f"{person}-*.png"))) >= 8
    if person == "clinician":
        assert {"flag decision", "decision", "undo", "correction", "second reader"} <= _kinds(workspace, tmp_path)


def _kinds(workspace, tmp_path) -> set[str]:
    out = tmp_path / "events.jsonl"
    command = ["decisions", "export", "--workspace", str(workspace), "--out", str(out)]
    subprocess.run([sys.executable, "-m", "BraTSRefineLib.cli", *command], check=True, capture_output=True)
    return {json.loads(line)["kind"] for line in out.read_text(encoding="utf-8").splitlines()}

"""Three persons walk through the module by its keys and buttons alone; where one cannot go on, it says why."""

from __future__ import annotations

import json

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
def test_the_whole_walk(bratsrefine, person, phantom_cohort, folder, tmp_path):
    """By the command line, as a user replays it; the clinician's records are in the store afterwards."""
    pictures = tmp_path / "pictures"
    options = ["--workspace", folder, "--offscreen", "--walk", person, "--screenshots", pictures]
    done = bratsrefine("review", phantom_cohort, *options, timeout_s=600)
    assert done.returncode == 0, done.stderr
    assert f"{person}: " in done.stdout
    assert len(list(pictures.glob(f"{person}-*.png"))) >= 8
    if person == "clinician":
        records = tmp_path / "events.jsonl"
        assert bratsrefine("decisions", "export", "--workspace", folder, "--out", records).returncode == 0
        kinds = {json.loads(line)["kind"] for line in records.read_text(encoding="utf-8").splitlines()}
        assert {"flag decision", "decision", "undo", "correction", "second reader"} <= kinds

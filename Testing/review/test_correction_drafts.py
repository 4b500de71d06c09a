"""An edit that is not saved yet is kept beside, whatever befalls its window, and is offered again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from correction_samples import painted, some_labels, write

from BraTSRefineLib.review.correction_drafts import STILL_THERE_S, DraftKeeper, drafts
from BraTSRefineLib.review.corrections import SourceChanged, save_correction, start_from_prediction


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


@pytest.mark.parametrize("lost", ["case", "opened", "pid"])
def test_a_draft_that_lacks_something_is_passed_over(workspace, case, lost):
    keeper = kept(workspace, case)
    keeper.let_go()
    about = keeper.folder / "draft.json"
    about.write_text(json.dumps({name: told for name, told in json.loads(about.read_text()).items() if name != lost}))
    assert not drafts(workspace, "case-1")

"""The host starts a scripted module in its window, photographs it, and closes cleanly."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from host_stage import PROBE_FOLDER, pixels, started_host


def test_module_panel_is_built_from_its_ui_file(host):
    assert host.widget.ui.pressButton.text() == "Press"
    assert host.widget.ui.nameLabel.text() in ("ready", "pressed")


def test_window_has_the_modules_title_and_a_panel_of_400_to_480_pixels(host):
    assert host.window.windowTitle() == "Host probe"
    assert 400 <= host.window.panel.width() <= 480
    assert (host.window.width(), host.window.height()) == (1280, 800)


def test_pressing_a_button_reaches_the_modules_handler(host):
    host.widget.ui.pressButton.click()
    assert host.widget.ui.nameLabel.text() == "pressed"


def test_exception_in_a_handler_is_recorded_as_one_line(host, capsys):
    host.widget.ui.pressButton.setText("fail")
    host.widget.ui.pressButton.click()
    host.widget.ui.pressButton.setText("Press")
    assert host.failures.pop().startswith("ValueError: asked to fail (HostProbe.py:")


def test_panel_text_is_painted(host):
    panel = pixels(host.window.panel)
    assert panel.max() > 200, "light text is expected on the dark panel"
    assert panel.mean() < 90


def test_module_is_entered_and_known_to_the_application(host):
    import slicer

    assert "enter" in host.widget.events
    assert slicer.modules.HostProbeWidget is host.widget
    assert slicer.app.moduleManager().module("HostProbe").title == "Host probe"
    assert slicer.util.mainWindow() is host.window


def test_modules_self_test_runs(host):
    import slicer

    module = sys.modules["HostProbe"]
    module.HostProbeTest().runTest()
    assert slicer.app.testingEnabled()


def test_settings_of_an_offscreen_host_are_not_the_users(host):
    import slicer

    slicer.app.userSettings().setValue("HostProbe/answer", 42)
    assert slicer.util.settingsValue("HostProbe/answer", 0, converter=int) == 42
    assert "bratsrefine-settings-" in slicer.app.userSettings().fileName()


def test_screenshot_is_written_with_the_window_size(host, tmp_path):
    from PySide6.QtGui import QImage

    path = host.screenshot(tmp_path / "deep" / "window.png")
    picture = QImage(str(path))
    assert (picture.width(), picture.height()) == (1280, 800)


def test_second_host_is_refused_while_one_runs(host):
    from BraTSRefine.Standalone.host import HostError

    with pytest.raises(HostError, match="close it first"):
        started_host()


def test_review_run_photographs_the_case_and_every_panel(host, tmp_path):
    from BraTSRefine.Standalone.review import openCohort, photograph

    openCohort(host, "cohort", "workspace")
    names = [path.name for path in photograph(host, tmp_path)]
    assert ("opened", "cohort", "workspace") in host.widget.events
    assert names == ["review.png", "panel-worst-cases.png", "panel-refine.png"]
    assert all((tmp_path / name).stat().st_size > 1000 for name in names)


def test_cohort_that_cannot_be_opened_gives_one_line_with_the_reason(host):
    from BraTSRefine.Standalone.host import HostError
    from BraTSRefine.Standalone.review import openCohort

    with pytest.raises(HostError, match=r"Could not open missing.*no such folder"):
        openCohort(host, "missing", "workspace")


CLOSING = f"""
from shiboken6 import isValid
from BraTSRefine.Standalone.host import start
for turn in range(2):
    host = start("HostProbe", folder={str(PROBE_FOLDER)!r}, offscreen=True, size=(900, 600))
    widget, timer = host.widget, host.widget.timer
    panes = host.layoutManager.panes()
    host.settle(60)
    host.close()
    ticks = len(widget.events)
    assert widget.events[-2:] == ["exit", "cleanup"], widget.events
    assert not timer.isActive()
    assert panes and not any(isValid(pane) for pane in panes)
    host.app.processEvents()
    assert len(widget.events) == ticks
    assert not host.app.topLevelWidgets(), host.app.topLevelWidgets()
print("closed", turn)
"""


def test_closing_leaves_no_timer_view_or_window_and_the_process_ends_normally():
    done = subprocess.run([sys.executable, "-c", CLOSING], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "closed 1"


def test_command_names_what_is_wrong_in_one_line_and_fails(tmp_path):
    command = [sys.executable, "-m", "BraTSRefine.Standalone", "--offscreen", "--cohort", str(tmp_path / "none")]
    done = subprocess.run(
        [*command, "--workspace", str(tmp_path)], capture_output=True, text=True, timeout=120, cwd=Path.cwd()
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr

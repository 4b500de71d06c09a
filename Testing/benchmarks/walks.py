"""Keys, clicks and machine seconds of three persons' ways through the module, on full-size simulated cases.

What a person waits for is counted from each key or click until the window has done all that it asked for; pictures
that are taken between the steps are not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from run import Figure

PERSONS = ("clinician", "researcher", "annotator")
TOTAL = re.compile(r"^\w+: (\d+) keys, (\d+) clicks, ([\d.]+) s of the machine$", re.MULTILINE)


def measure() -> list[Figure]:
    import review

    with tempfile.TemporaryDirectory() as folder:
        return figures(*review.place(folder))


def figures(cohort: Path, workspace: Path) -> list[Figure]:
    """Each person in a process and a copy of the workspace of their own. Raises SystemExit where one cannot go on."""
    from run import Figure

    found = []
    for person in PERSONS:
        with tempfile.TemporaryDirectory() as folder:
            own = shutil.copytree(workspace, Path(folder) / "workspace")
            command = ["--cohort", str(cohort), "--workspace", str(own), "--offscreen", "--walk", person]
            done = subprocess.run(
                [sys.executable, "-m", "BraTSRefine.Standalone", *command], capture_output=True, text=True, check=False
            )
        total = TOTAL.search(done.stdout)
        if done.returncode or not total:
            raise SystemExit(f"the {person}'s walk ended early: {done.stderr}")
        keys, clicks, seconds = total.groups()
        found.append(Figure(f"the {person}'s walk: keys", float(keys), detail=f"and {clicks} clicks"))
        found.append(Figure(f"the {person}'s walk: machine", float(seconds), unit="s"))
    return found

"""The scripted walks of the three people: keys and machine seconds of each.

``bratsrefine review ... --walk NAME`` replays a walk; what it takes is measured here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from run import Figure

PEOPLE = ("clinician", "researcher", "annotator")


def figures(cohort: Path, workspace: Path) -> list[Figure]:
    """Two figures a person, keys and machine seconds, of the walks that there are."""
    return []

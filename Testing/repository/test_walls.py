"""The walls of the design: who may import whom, and what may be imported when."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "BraTSRefineLib"
SCREEN = {"slicer", "vtk", "vtkmodules", "qt", "ctk", "PySide6", "trame_slicer"}
FOR_ALL = {"allocator", "__version__"}
ORDER = {
    "regions": set(),
    "cohort": {"regions"},
    "fusion": {"regions"},
    "inference": {"regions", "cohort", "fusion"},
    "postprocessing": {"regions"},
    "review": {"regions", "cohort", "fusion"},
    "selection": {"regions", "cohort"},
    "phantom": {"regions", "cohort"},
    "scoring": {"regions", "cohort", "fusion"},
    "analysis": {"regions", "cohort", "fusion", "scoring"},
}


def imports_of(path: Path) -> set[tuple[int, str]]:
    """(level, dotted name) of every import in a file, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {(0, name.name) for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {node.module} if node.module else {alias.name for alias in node.names}
            found |= {(node.level, name) for name in names}
    return found


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_the_backend_knows_no_screen(path):
    assert not {name for _, name in imports_of(path) if name.split(".")[0] in SCREEN}


@pytest.mark.parametrize("room", sorted(ORDER))
def test_no_import_goes_back_up(room):
    files = [LIBRARY / f"{room}.py"] if room == "regions" else sorted((LIBRARY / room).rglob("*.py"))
    assert files
    used = {
        name.split(".")[0]
        for path in files
        for level, name in imports_of(path)
        if level == len(path.relative_to(LIBRARY).parts)
    }
    assert used - {room, *FOR_ALL} <= ORDER[room]


def modules_after(statement: str) -> set[str]:
    """Top-level names in sys.modules after a statement in a fresh interpreter."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "room", ["cli", "cohort", "scoring", "analysis", "fusion", "inference", "postprocessing", "jobs", "review"]
)
def test_importing_a_room_loads_nothing_heavy(room):
    loaded = modules_after(f"import BraTSRefineLib.{room}")
    heavy = {"torch", "monai", "nnunetv2", "plotly", "dask", "numba", "nilearn", "sklearn", "SimpleITK"}
    assert not loaded & (heavy | {"sqlalchemy", "alembic"})

"""The extension's files are what Slicer's build and catalogue expect."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

CATALOGUE_ENTRY = {
    "type": "object",
    "required": ["$schema", "category", "scm_url"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": r"slicer-extension-catalog-entry-schema-v1\.0\.[12]\.json#$"},
        "category": {"type": "string", "minLength": 1},
        "scm_url": {"type": "string", "pattern": r"^https://.*\.git$"},
        "scm_revision": {"type": "string", "minLength": 1},
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": {"type": "string"}},
        "build_subdirectory": {"type": "string"},
        "enabled": {"type": "boolean"},
        "tier": {"enum": [1, 3, 5]},
    },
}


def test_catalogue_entry_follows_its_schema():
    entry = json.loads((REPOSITORY / "BraTSRefine.json").read_text())
    jsonschema.validate(entry, CATALOGUE_ENTRY)
    project = re.search(r"^project\((\w+)\)", (REPOSITORY / "CMakeLists.txt").read_text(), re.M).group(1)
    assert f"{project}.json" == "BraTSRefine.json"


def listed_files(folder: str) -> set[str]:
    text = (REPOSITORY / folder / "CMakeLists.txt").read_text()
    blocks = re.findall(r"set\(MODULE_PYTHON_(?:SCRIPTS|RESOURCES)\n(.*?)\n\s*\)", text, re.S)
    return {line.strip().replace("${MODULE_NAME}", folder) for block in blocks for line in block.splitlines()}


def tracked_files(folder: str) -> set[str]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", folder],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return {str(Path(name).relative_to(folder)) for name in names} - {"CMakeLists.txt"}


@pytest.mark.parametrize("folder", ["BraTSRefineLib", "BraTSRefine"])
def test_every_file_of_a_module_is_listed_for_the_build(folder):
    assert listed_files(folder) == {name for name in tracked_files(folder) if not name.startswith("Standalone/")}


def test_slicer_asks_for_the_same_packages_as_the_installable_package():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    asked = (REPOSITORY / "BraTSRefine" / "Resources" / "requirements.txt").read_text().split()
    assert asked == project["dependencies"]


def test_python_files_stay_short():
    too_long = {
        str(path.relative_to(REPOSITORY)): lines
        for folder in ("BraTSRefineLib", "BraTSRefine")
        for path in (REPOSITORY / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not too_long

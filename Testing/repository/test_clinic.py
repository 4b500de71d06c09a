"""What a clinic asks is answered with files and tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = (REPOSITORY / "Documentation" / "clinic.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+) \| .+ \| (met|part|not met) \| (.+) \| (.*) \|$", TEXT, re.M)
NAMED = re.findall(r"`((?:BraTSRefine|BraTSRefineLib|Testing)/[\w/.]+)(?:::(\w+))?", TEXT)


def test_all_twenty_demands_are_answered():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 21))


def test_what_is_said_to_be_met_names_a_test():
    assert [number for number, answer, _, tests in ROWS if answer != "not met" and "Testing/" not in tests] == []


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_what_is_named_is_there(path, test):
    file = REPOSITORY / path
    assert file.is_file()
    assert not test or f"def {test}(" in file.read_text(encoding="utf-8")

"""The .ui files are what Qt Designer, PythonQt and a five-year-old Slicer read without a word."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "BraTSRefine" / "Resources" / "UI"
FILES = sorted(FOLDER.glob("*.ui"))


def test_there_is_a_file_for_the_module_and_for_each_panel():
    names = {path.stem for path in FILES}
    assert names == {
        "BraTSRefine",
        "Cohort",
        "Correct",
        "WorstCases",
        "Review",
        "Uncertainty",
        "Refine",
        "Predict",
        "Annotate",
        "Help",
        "Plot",
        "Views",
    }


def test_object_names_are_identifiers_and_unique_in_the_module():
    names = [element.get("name") for path in FILES for element in ElementTree.parse(path).iter("widget")]
    assert all(name.isidentifier() for name in names)
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enums_are_unscoped(path):
    for element in ElementTree.parse(path).iter():
        if element.tag in ("enum", "set"):
            assert re.fullmatch(r"\w+::\w+(\|\w+::\w+)*", element.text), element.text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_button_says_what_it_does_on_hover(path):
    for widget in ElementTree.parse(path).iter("widget"):
        if widget.get("class") in ("QPushButton", "QToolButton", "QSlider", "QSpinBox"):
            properties = {p.get("name"): p.findtext("string") for p in widget.findall("property")}
            assert properties.get("toolTip"), widget.get("name")


def test_tool_tips_name_the_keys():
    texts = " ".join(element.text or "" for path in FILES for element in ElementTree.parse(path).iter("string"))
    for key in ("(P)", "(N)", "(F)", "(Shift+F)", "(G)", "(R)", "(D)", "(E)", "(U)", "hold H", "(/)"):
        assert key in texts, key

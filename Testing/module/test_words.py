"""What a person reads goes through ``_()``, and says that it is for research."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = REPOSITORY / "BraTSRefine" / "BraTSRefineUI"
SHOWN = {"text", "toolTip", "title", "windowTitle", "placeholderText", "statusTip", "suffix", "prefix"}
SHOWING = {"addItem", "setItemText", "setTabText", "addTab", "setHeaderLabels", "setTitle", "setText", "setToolTip"}


def literals(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and text of each literal of words that is shown without being translated."""
    found = []
    for node in ast.walk(tree):
        values = []
        if isinstance(node, ast.Assign):
            targets = [t for target in node.targets for t in getattr(target, "elts", [target])]
            if any(isinstance(target, ast.Attribute) and target.attr in SHOWN for target in targets):
                values = [node.value]
        elif isinstance(node, ast.Call) and _called(node) in SHOWING:
            values = node.args
        found += [(node.lineno, words) for value in values for words in _words(value)]
    return found


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _words(node: ast.AST) -> list[str]:
    """Words of literals in an expression, those in calls (of ``_`` and of our own functions) left out."""
    if isinstance(node, ast.Call):
        return []
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
        return [text] if any(len(part) > 2 and part.isalpha() for part in text.replace("<", " <").split()) else []
    if isinstance(node, ast.IfExp):
        return _words(node.body) + _words(node.orelse)
    if isinstance(node, ast.Compare | ast.Subscript | ast.Attribute):
        return []
    return [words for child in ast.iter_child_nodes(node) for words in _words(child)]


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.py")), ids=lambda path: str(path.relative_to(MODULE)))
def test_what_is_shown_is_translated(path):
    assert literals(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_check_finds_a_literal_and_passes_what_is_translated():
    shown = ('a.text = "Some words"', 'c.addItem("Some words")')
    passed = ('b.toolTip = _("Some words")', 'd.text = "-" if x == "some" else ""')
    code = "\n".join((*shown, *passed))
    assert [line for line, _ in literals(ast.parse(code))] == [1, 2]


@pytest.mark.parametrize("path", ["README.md", "BraTSRefine/BraTSRefine.py", "BraTSRefineLib/cli.py"])
def test_research_use_stands_in_readme_and_help(path):
    assert "research use only" in (REPOSITORY / path).read_text(encoding="utf-8").lower()

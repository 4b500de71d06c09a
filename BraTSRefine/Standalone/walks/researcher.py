"""A researcher's walk: the worst cases, what they have in common, how the models differ there, what fusing is worth."""

import math

from .walker import Walker

GOOD = 0.9
LAYOUTS_SEEN = 4
FIRST_LAYOUT = "Review"


def walk(walker: Walker) -> None:
    """From the ranking to before and after."""
    bench = walker.workbench
    walker.tab("Worst cases")
    walker.click(bench.ui.regionETButton)
    walker.step("The worst cases by Dice of ET")
    _filter(walker)
    _plot(walker)
    _compare(walker)
    _fuse(walker)


def _filter(walker: Walker) -> None:
    panel = walker.workbench.worstCases
    bound = _bound(walker)
    walker.key("/")
    walker.write(panel.ui.filterEdit, f"dice<{bound:g}")
    walker.see(len(panel.shownCases) < len(walker.workbench.session.caseNames), "fewer cases")
    walker.step(f"Only what is below {bound:g}")
    walker.leave(panel.ui.filterEdit)
    walker.row(panel.ui.casesTable, 0)
    walker.key("G")
    walker.step("The worst case, at its worst slice")


def _bound(walker: Walker) -> float:
    """A Dice that some case exceeds: 0.9, or in a cohort where none does just below the best."""
    found = [row.values["dice"] for row in walker.workbench.session.rows() if "dice" in row.values]
    return min(GOOD, math.floor(max(found, default=GOOD) * 100) / 100)


def _endFilter(walker: Walker) -> None:
    """All cases again, where one alone was found."""
    for keys in ("/", "Ctrl+A", "Backspace"):
        walker.key(keys)
    walker.leave(walker.workbench.worstCases.ui.filterEdit)


def _plot(walker: Walker) -> None:
    walker.key("J")
    walker.step("Volume against Dice below the views")
    if len(walker.workbench.worstCases.shownCases) == 1:
        _endFilter(walker)
    case = walker.workbench.session.case
    walker.key("N")
    walker.see(walker.workbench.session.case != case, "the next case")
    walker.step("The next case, marked in the plot")
    walker.key("J")


def _compare(walker: Walker) -> None:
    seen = {_layout(walker)}
    for _number in range(LAYOUTS_SEEN):
        walker.key("V")
        walker.see(_layout(walker) not in seen, "another layout")
        seen.add(_layout(walker))
        walker.step(f"Layout {_layout(walker)}")
    walker.key("X")
    walker.step("The prediction alone")
    walker.key("X")
    walker.step("The reference alone")
    walker.key("Shift+X")
    walker.key("]")
    walker.step("Another member of the ensemble")
    walker.key("[")
    for _number in range(len(walker.workbench.views.layoutNames())):
        if _layout(walker) != FIRST_LAYOUT:
            walker.key("V")
    walker.see(_layout(walker) == FIRST_LAYOUT, "the first layout again")
    walker.key("I")
    walker.step("Distance of the surfaces in 3D")
    walker.key("I")


def _layout(walker: Walker) -> str:
    return walker.workbench.views.bar.ui.layoutCombo.currentText()


def _fuse(walker: Walker) -> None:
    bench = walker.workbench
    walker.tab("Refine")
    refine = bench.panelNamed("Refine")
    walker.click(refine.ui.fuseStepButton)
    walker.step("Fuse the models")
    walker.click(refine.ui.fuseButton)
    walker.waitFor(lambda: not bench.isBusy, "the fusion")
    walker.click(refine.ui.resultStepButton)
    walker.step("What it was worth, before and after")

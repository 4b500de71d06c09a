"""A clinician's walk: from flag to flag of the most urgent case, a decision each, one correction, the next case."""

from PySide6.QtWidgets import QLabel

from .walker import Walker

READER = "Dr Walk"
STROKE = ((0.44, 0.44), (0.56, 0.56))


def walk(walker: Walker) -> None:
    """Review the first case of the queue and open the second."""
    walker.tab("Review")
    walker.introduce(READER)
    walker.step("The queue, most urgent first")
    _decideFlags(walker)
    _correct(walker)
    _decideCase(walker)
    first = walker.workbench.session.case
    walker.key("N")
    walker.see(walker.workbench.session.case != first, "the next case")
    walker.step("The next case of the queue")
    walker.key("?")
    walker.step("All keys")
    walker.key("?")


def _decideCase(walker: Walker) -> None:
    """Minor, taken back, then major with a second reader."""
    walker.key("0")
    walker.key("2")
    walker.see(_decision(walker) == "minor", "the case as minor")
    walker.step("The case is decided, minor")
    walker.key("Backspace")
    walker.see(_decision(walker) == "", "the decision taken back")
    walker.step("Taken back")
    walker.key("3")
    walker.key("S")
    walker.see(_decision(walker) == "major", "the case as major")
    walker.step("Decided again, and a second reader asked for")


def _decision(walker: Walker) -> str:
    decided = walker.workbench.review.reviewing.decisionOf(None)
    return decided.decision if decided else ""


def _decideFlags(walker: Walker) -> None:
    """The first flag with a note, the second as major, all others accepted."""
    bench = walker.workbench
    reviewing = bench.review.reviewing
    if not reviewing.flags():
        walker.step("Nothing is flagged in this case")
        return
    walker.key("F")
    walker.see(reviewing.flag() is not None, "the first flag")
    walker.step("The first flagged region")
    walker.key("T")
    walker.write(bench.ui.noteEdit, "cavity, not tumour")
    walker.leave(bench.ui.noteEdit)
    walker.key("2")
    walker.step("Minor, with a note; the next flag follows")
    for _flag in reviewing.flags()[1:]:
        walker.key("1")
    walker.see(all(reviewing.decisionOf(flag) for flag in reviewing.flags()), "every flag decided")
    walker.step("Every flag is decided")


def _correct(walker: Walker) -> None:
    """Paint one stroke and save it as a new version."""
    walker.key("C")
    walker.step("Correcting the prediction")
    correcting = walker.workbench.correcting
    walker.drag(walker.sliceView(), *STROKE)
    walker.step("One stroke of paint")
    walker.click(correcting.panel.ui.saveCorrectionButton)
    walker.see(READER in walker.workbench.ui.caseCard.findChild(QLabel, "versionLabel").text(), "whose version it is")
    walker.step("Saved as a new version")

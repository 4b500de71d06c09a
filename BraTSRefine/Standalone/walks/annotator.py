"""An annotator's walk: which cases teach the model most, one of them corrected, done, and saved for training."""

from pathlib import Path

from .walker import Walker

READER = "Ann Walk"
STROKE = ((0.45, 0.5), (0.55, 0.5))


def walk(walker: Walker) -> None:
    """Choose, correct, mark as done, save."""
    bench = walker.workbench
    ui = bench.panelNamed("Annotate").ui
    walker.tab("Review")
    walker.introduce(READER)
    walker.tab("Annotate")
    walker.step("Nothing chosen yet")
    walker.click(ui.chooseButton)
    walker.waitFor(lambda: not bench.isBusy, "the selection")
    walker.step("The cases that teach most, with reason and effort")
    walker.row(ui.chosenTable, 1)
    walker.step("One of them")
    walker.click(ui.startButton)
    walker.drag(walker.sliceView(), *STROKE)
    walker.step("Corrected by one stroke")
    walker.click(bench.correcting.panel.ui.saveCorrectionButton)
    walker.key("M")
    walker.step("Saved and done")
    walker.click(ui.saveLabelsButton)
    walker.see(any(Path(ui.trainingFolderEdit.text()).rglob("*.nii.gz")), "labels in the folder for training")
    walker.step("Labels as training reads them")
    walker.click(ui.saveListButton)
    walker.step("The list as a table")
    case = bench.session.case
    walker.key("N")
    walker.see(bench.session.case != case, "the next case of the list")
    walker.step("The next case of the list")

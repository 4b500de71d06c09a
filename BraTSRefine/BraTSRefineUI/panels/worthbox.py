"""Whether the uncertainty is worth anything: its scores, what its flags hold, its curves, against the references."""

from __future__ import annotations

import math
from html import escape

import qt
from slicer.i18n import tr as _

from .. import colours, tables
from ..curveplot import CurvePlot
from ..panel import Cell, fillTable, say
from ..worth import SCORES, Quality, SourceWorth, Worth, readWorth

COLOURS = (colours.REFERENCE, colours.PREDICTION, "#009E73", "#CC79A7", "#F0E442", "#D55E00")
HEADINGS = [_("Source"), "QU", "AURC", "ECE", _("Flags\nhold"), _("Flags\nright"), _("Flags\nrank")]
FINE = 4
TIPS = {
    "qu_brats": _("QU-BraTS score, from 0 to 1: what is unsure is wrong, and what is sure is right; more is better"),
    "aurc": _("Area under the risk-coverage curve: how much is wrong among what is sure; less is better"),
    "ece": _("Expected calibration error: how far probabilities are from what comes true; less is better"),
    "coverage": _("Share of the errors that lies in a flagged region; more is better"),
    "precision": _("Share of what is flagged that is wrong; more is better"),
    "rank_correlation": _("Rank correlation of the flags' order with the errors that each holds; more is better"),
}


class WorthBox:
    """The widgets of the evaluation, in the *Uncertainty* panel's .ui file."""

    def __init__(self, workbench, ui) -> None:
        self.workbench, self.ui = workbench, ui
        self._worth: Worth | None = None
        self.reliability = CurvePlot(_("Reliability: what came true"), _("probability"), hasDiagonal=True)
        self.riskCoverage = CurvePlot(_("Risk: what is wrong of it"), _("share kept"))
        self.reliability.toolTip = _("On the diagonal, what has a probability of 0.7 is true in 7 of 10 voxels")
        self.riskCoverage.toolTip = _("The surest voxels are kept first: the later a curve rises, the better")
        for plot in (self.reliability, self.riskCoverage):
            ui.curvesPlace.layout().addWidget(plot)
        ui.evaluateButton.clicked.connect(lambda checked=False: workbench.startJob("evaluate", {}))
        ui.worthPageButton.clicked.connect(lambda checked=False: self._openPage())

    @property
    def session(self):
        return self.workbench.session

    def refresh(self) -> None:
        session, ui = self.session, self.ui
        self._worth = readWorth(session.workspace, session.region) if session.isOpen else None
        sources = self._worth.sources if self._worth else ()
        self._refreshButtons()
        ui.worthTable.visible = ui.curvesPlace.visible = bool(sources)
        rows = [_cells(source, COLOURS[row % len(COLOURS)]) for row, source in enumerate(sources)]
        fillTable(ui.worthTable, HEADINGS, rows, stretched=0)
        self._plot(sources)
        say(ui.worthLabel, self._words())

    def _refreshButtons(self) -> None:
        button, why = self.ui.evaluateButton, self._whyNot()
        button.enabled = not why
        button.text = _("Evaluate again") if self._worth else _("Evaluate")
        button.toolTip = why or _("Compare maps and flags of every case with its reference, in the background")
        page = self.ui.worthPageButton
        page.enabled = self._worth is not None
        page.toolTip = _("Open the page with all tables and curves") if self._worth else _("Nothing was evaluated yet")

    def _whyNot(self) -> str:
        session = self.session
        if self.workbench.isBusy:
            return _("A job is running")
        if not session.isOpen:
            return _("No cohort is open: Open… comes first")
        if not session.hasReferences:
            return _("It takes cases with a reference")
        if len(session.models) < 2 and not session.madeModels:
            return _("It takes two models, or one that was predicted here")
        return ""

    def _plot(self, sources: tuple[SourceWorth, ...]) -> None:
        coloured = [(COLOURS[row % len(COLOURS)], source) for row, source in enumerate(sources)]
        self.reliability.plot([(colour, source.reliability) for colour, source in coloured])
        highest = max((risk for source in sources for _coverage, risk in source.riskCoverage), default=1.0)
        self.riskCoverage.plot([(colour, source.riskCoverage) for colour, source in coloured], highest)

    def _words(self) -> str:
        if self._worth is None:
            words = _("<b>Evaluate</b> says how far maps and flags can be trusted, on the cases with a reference.")
            return "" if self._whyNot() and not self.workbench.isBusy else words
        if not self._worth.sources:
            return _("Nothing was evaluated in {region}.").format(region=self.session.region)
        cases = max(source.cases for source in self._worth.sources)
        words = _("{region} of {cases} cases; each case's flags are cut by what the others taught.")
        return " ".join([words.format(region=self.session.region, cases=cases), *_quality(self._worth.quality)])

    def _openPage(self) -> None:
        if self._worth:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._worth.page)))


def _quality(quality: Quality | None) -> list[str]:
    if quality is None or not math.isfinite(quality.rank):
        return []
    words = _(
        "Dice predicted from the models' agreement: rank correlation {rank:.2f} with the true one of {count} cases "
        "(pairwise Dice alone {pairwise:.2f}), {within:.0%} within their interval."
    )
    numbers = {"rank": quality.rank, "pairwise": quality.pairwiseRank, "within": quality.within}
    return [escape(words.format(count=quality.cases, **numbers))]


def _cells(source: SourceWorth, colour: str) -> list[Cell]:
    cells = [Cell(source.source, source.source, colour)]
    for name in SCORES:
        text = tables.number(source.scores.get(name, math.nan), FINE if name == "aurc" else 2)
        cells.append(Cell(text, TIPS[name], "", isNumber=True))
    return cells

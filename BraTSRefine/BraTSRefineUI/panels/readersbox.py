"""Two readers and a third: what they decided differently, how far they agree, where the records are kept."""

from __future__ import annotations

from html import escape

from slicer.i18n import tr as _

from .. import colours, overview
from ..agreement import AgreementRun
from ..panel import Cell, say
from ..rowtable import RowTable


class ReadersBox:
    """The readers' page of the review panel."""

    def __init__(self, workbench, ui) -> None:
        self.workbench, self.ui = workbench, ui
        self.disputes = RowTable(ui.disputesView, self._cells, self._onDispute)
        self.run = AgreementRun(self._onAgreement)
        ui.agreementButton.clicked.connect(lambda checked=False: self._compute())
        ui.storeButton.clicked.connect(lambda checked=False: self._onStore())
        ui.storeEdit.returnPressed.connect(lambda: self._onStore())
        self._told = ""

    @property
    def reviewing(self):
        return self.workbench.review.reviewing

    def forget(self) -> None:
        """Another cohort: no figures yet."""
        self._told = ""
        self.run.stop()

    def refresh(self) -> None:
        reviewing = self.reviewing
        disputes = reviewing.disputes() if reviewing.session.isOpen else []
        if disputes != self.disputes.rows:
            headings = [_("Case"), _("What"), _("Decisions"), _("Last word")]
            self.disputes.fill(headings, disputes, [72, 42, 0, 66])
        still = sum(not one.adjudicated for one in disputes)
        self.ui.readersStepButton.text = _("Readers ({count})").format(count=still) if still else _("Readers")
        say(self.ui.disputesLabel, self._disputeWords(still))
        refusal = self._whyNoAgreement()
        self.ui.agreementButton.enabled = not refusal and not self.run.isRunning
        enough = _("Cohen's kappa of the decisions and Dice between corrections, in the background")
        self.ui.agreementButton.toolTip = refusal or enough
        say(self.ui.agreementLabel, self._told)
        place = _("Kept in {place}").format(place=escape(reviewing.place)) if reviewing.place else ""
        say(self.ui.placeLabel, place)
        if reviewing.session.isOpen and not self.ui.storeEdit.modified:
            self.ui.storeEdit.text = self.workbench.review.url

    def _whyNoAgreement(self) -> str:
        """Agreement on a few cases would tell a blind reader what the other one decided."""
        reviewing = self.reviewing
        if len(reviewing.readers) < 2:
            return _("It takes two readers")
        if reviewing.isBlind and reviewing.reader in reviewing.readers:
            return _("You are one of the readers and read blind: a third person may look, or you once Blind is off")
        return ""

    def _disputeWords(self, still: int) -> str:
        if not self.reviewing.readers:
            return _("Nobody has decided anything yet.")
        if still:
            words = _("{count} to adjudicate: choose one, look, and press 1 to 5; that is the last word.")
            return words.format(count=still)
        return _("Nothing to adjudicate. What you read yourself is shown once a third person has decided.")

    def _cells(self, dispute) -> list[Cell]:
        colour = "" if dispute.adjudicated else colours.DOUBTFUL
        what = dispute.flag.split(" ")[0] if dispute.flag else _("case")
        short = overview.shortNames(self.reviewing.session.caseNames).get(dispute.case, dispute.case)
        last = f"{dispute.adjudicated} ({dispute.adjudicator})" if dispute.adjudicated else _("open")
        whole = f"{dispute.case} · {dispute.model} · {dispute.flag or what}"
        return [
            Cell(overview.cutInside(short, 9), whole, colour),
            Cell(what, whole, colour),
            Cell(dispute.words, dispute.words, colour),
            Cell(last, last, colour),
        ]

    def _onDispute(self, row: int) -> None:
        """Show what it is about: model, case, and once they were read the flag."""
        dispute = self.disputes.rows[row]
        self.workbench.setModel(dispute.model)
        self.workbench.showCaseFromPanel(dispute.case, lambda: self.workbench.review.lookAt(dispute.flag))

    def _compute(self) -> None:
        self._told = _("Computing …")
        self.run.start(self.reviewing.session.workspace.root, self.workbench.review.url)
        self.refresh()

    def _onAgreement(self, words: str) -> None:
        self._told = words
        self.refresh()

    def _onStore(self) -> None:
        url = self.ui.storeEdit.text.strip()
        self.ui.storeEdit.text = url  # as it was never typed: what is opened stands there from now on
        self.workbench.review.changeStore(url)

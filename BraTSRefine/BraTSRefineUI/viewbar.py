"""The row below the toggles: which layout, which models and members, and how overlays are drawn."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from . import captions, views
from .panel import fillCombo

SETTINGS = "BraTSRefine/views"
REMEMBERED = ("fillLabelsToggle", "fillErrorsToggle")


class ViewBar:
    """The widgets of Views.ui; what is pressed goes to the desk of the views."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.widget = slicer.util.loadUI(desk.workbench.resourcePath("UI/Views.ui"))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self._menu = qt.QMenu(self.ui.viewModelsButton)
        self.ui.viewModelsButton.setMenu(self._menu)
        self._display = qt.QMenu(self.ui.displayButton)
        self._displayAction = qt.QWidgetAction(self._display)
        self._displayAction.setDefaultWidget(self.ui.displayBox)
        self._display.addAction(self._displayAction)
        self.ui.displayButton.setMenu(self._display)
        self._offered: list = []
        self._restore()
        self._connect()
        desk.workbench.ui.viewsPlace.layout().addWidget(self.widget)

    @property
    def look(self) -> dict:
        """The part of the look that these widgets say."""
        ui = self.ui
        return {
            "fillsLabels": ui.fillLabelsToggle.checked,
            "fillsErrors": ui.fillErrorsToggle.checked,
            "inMillimeters": ui.distanceToggle.checked,
            "opacity": ui.opacitySlider.value / 100,
        }

    def refresh(self) -> None:
        """Show the layout, the models and the member that are shown."""
        ui, desk = self.ui, self.desk
        names = desk.layoutNames()
        fillCombo(ui.layoutCombo, list(names.values()), names.get(desk.layout, ""))
        ui.layoutCombo.enabled = bool(names)
        ui.viewModelsButton.visible = desk.layout == views.MODELS_LAYOUT
        self._offerModels()
        self._showMember()

    def _connect(self) -> None:
        ui, desk = self.ui, self.desk
        ui.layoutCombo.currentIndexChanged.connect(lambda index=0: desk.setLayout(list(views.LAYOUTS)[index]))
        ui.memberSlider.valueChanged.connect(lambda place=0: desk.goToMember(place))
        for toggle in (ui.fillLabelsToggle, ui.fillErrorsToggle, ui.distanceToggle):
            toggle.toggled.connect(lambda on=True: self._onLook())
        ui.crosshairToggle.toggled.connect(lambda on=True: desk.showCrosshair(on))
        ui.opacitySlider.valueChanged.connect(lambda value=0: self._onLook())
        ui.flipButton.clicked.connect(lambda checked=False: desk.flip())
        ui.modalityButton.clicked.connect(lambda checked=False: desk.nextModality())

    def _onLook(self) -> None:
        self._remember()
        self.desk.setLook(**self.look)

    def _restore(self) -> None:
        for name in REMEMBERED:
            toggle = getattr(self.ui, name)
            toggle.checked = slicer.util.settingsValue(f"{SETTINGS}/{name}", toggle.checked, slicer.util.toBool)
        slider = self.ui.opacitySlider
        slider.value = slicer.util.settingsValue(f"{SETTINGS}/opacity", slider.value, int)

    def _remember(self) -> None:
        settings = slicer.app.userSettings()
        for name in REMEMBERED:
            settings.setValue(f"{SETTINGS}/{name}", getattr(self.ui, name).checked)
        settings.setValue(f"{SETTINGS}/opacity", self.ui.opacitySlider.value)

    def _offerModels(self) -> None:
        """The models that can stand beside the chosen one, those that do ticked."""
        session, wanted = self.desk.session, self.desk.comparing.wanted() if self.desk.session.case else []
        offered = [(model, model in wanted) for model in session.models if model != session.model]
        if offered == self._offered:
            return
        self._offered = offered
        self._menu.clear()
        for model, isShown in offered:
            action = self._menu.addAction(model)
            action.checkable, action.checked = True, isShown
            action.enabled = isShown or len(wanted) < views.MOST_MODELS
            action.toggled.connect(lambda on=True, model=model: self.desk.chooseModel(model, on))

    def _showMember(self) -> None:
        comparing, slider = self.desk.comparing, self.ui.memberSlider
        slider.blockSignals(True)
        try:
            slider.maximum, slider.value = max(len(comparing.names), 1), comparing.place
        finally:
            slider.blockSignals(False)
        slider.enabled = bool(comparing.names)
        words = " ".join(captions.memberWords(comparing))
        count = len(comparing.names)
        everything = _("{count} members") if comparing.isEnsemble else _("{count} models")
        place = _("{number} of {count}").format(number=comparing.place, count=count)
        self.ui.memberLabel.text = place if words else everything.format(count=count)
        self.ui.memberLabel.visible = bool(comparing.names)
        self.ui.memberLabel.toolTip = words or _("The chosen model is shown")

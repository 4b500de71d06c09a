"""The host's window: the module's panel left, the views right, nothing else; a dark and a light style."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from .splitter import PlainSplitter
from .stand_ins.slicer_util import MAIN_WINDOW_NAME

PANEL_WIDTH, PANEL_MINIMUM, PANEL_MAXIMUM = 440, 400, 480
FONT_FAMILIES = ("Inter", "Noto Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans")
MARGIN = 6

DARK = {
    QPalette.Window: "#2b2d31",
    QPalette.WindowText: "#e4e5e7",
    QPalette.Base: "#1f2124",
    QPalette.AlternateBase: "#25272b",
    QPalette.Text: "#e4e5e7",
    QPalette.Button: "#383b40",
    QPalette.ButtonText: "#e4e5e7",
    QPalette.BrightText: "#ffffff",
    QPalette.ToolTipBase: "#383b40",
    QPalette.ToolTipText: "#e4e5e7",
    QPalette.PlaceholderText: "#8b8f96",
    QPalette.Highlight: "#3d6ea5",
    QPalette.HighlightedText: "#ffffff",
    QPalette.Link: "#7fb3e6",
    QPalette.Light: "#4a4d53",
    QPalette.Midlight: "#41444a",
    QPalette.Mid: "#26282c",
    QPalette.Dark: "#1a1b1e",
    QPalette.Shadow: "#101113",
}
LIGHT = {
    QPalette.Window: "#f3f4f5",
    QPalette.WindowText: "#1e2024",
    QPalette.Base: "#ffffff",
    QPalette.AlternateBase: "#f6f7f8",
    QPalette.Text: "#1e2024",
    QPalette.Button: "#e6e8ea",
    QPalette.ButtonText: "#1e2024",
    QPalette.BrightText: "#000000",
    QPalette.ToolTipBase: "#ffffff",
    QPalette.ToolTipText: "#1e2024",
    QPalette.PlaceholderText: "#7b8087",
    QPalette.Highlight: "#2f6fb3",
    QPalette.HighlightedText: "#ffffff",
    QPalette.Link: "#1d5d9b",
    QPalette.Light: "#ffffff",
    QPalette.Midlight: "#eef0f1",
    QPalette.Mid: "#c9ccd0",
    QPalette.Dark: "#b4b8bd",
    QPalette.Shadow: "#9a9ea4",
}
FADED = (QPalette.WindowText, QPalette.Text, QPalette.ButtonText)


class Window(QMainWindow):
    """Panel and views side by side."""

    def __init__(self, size: QSize):
        super().__init__()
        self.setObjectName(MAIN_WINDOW_NAME)
        self.setWindowTitle("BraTSRefine")
        self.panel, self.viewport = QWidget(), QWidget()
        self.panel.setMinimumWidth(PANEL_MINIMUM)
        self.panel.setMaximumWidth(PANEL_MAXIMUM)
        QVBoxLayout(self.panel).setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self.viewport.setAutoFillBackground(True)
        self.setCentralWidget(self._sideBySide(size))
        self.resize(size)

    def _sideBySide(self, size: QSize) -> PlainSplitter:
        splitter = PlainSplitter(Qt.Horizontal)
        for i, side in enumerate((self.panel, self.viewport)):
            splitter.addWidget(side)
            splitter.setStretchFactor(i, i)
        splitter.setSizes([PANEL_WIDTH, size.width() - PANEL_WIDTH])
        return splitter

    def setModulePanel(self, modulePanel: QWidget) -> None:
        self.panel.layout().addWidget(modulePanel)


def applyStyle(application: QApplication, light: bool = False) -> None:
    """Fusion in dark (or light) colours, with the first known font at 10 points."""
    application.setStyle("Fusion")
    application.setPalette(palette(LIGHT if light else DARK))
    application.setFont(_font())


def palette(colours: dict) -> QPalette:
    made = QPalette()
    for role, colour in colours.items():
        made.setColor(role, QColor(colour))
    for role in FADED:
        made.setColor(QPalette.Disabled, role, QColor(colours[QPalette.PlaceholderText]))
    return made


def _font() -> QFont:
    known = set(QFontDatabase.families())
    if not known:
        raise RuntimeError("Qt finds no font, so no text could be shown; install one (Debian: fonts-dejavu-core).")
    return QFont(next((family for family in FONT_FAMILIES if family in known), sorted(known)[0]), 10)

"""Slice and 3D views as Qt widgets: painted from an off-screen render window, mouse and keys forwarded to it.

The public methods are those of qMRMLSliceWidget, qMRMLSliceView, qMRMLThreeDWidget and qMRMLThreeDView.
"""

from PySide6.QtCore import Property, QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from vtkmodules.vtkCommonCore import vtkCommand
from vtkmodules.vtkRenderingAnnotation import vtkCornerAnnotation

from .rendering import RenderRequests, SliceView, ThreeDView, quietStart, renderedImage
from .renderqueue import RenderQueue

BUTTONS = {Qt.LeftButton: "Left", Qt.MiddleButton: "Middle", Qt.RightButton: "Right"}
WHEEL_NOTCH = 120
KEY_SYMBOLS = {
    Qt.Key_Left: "Left",
    Qt.Key_Right: "Right",
    Qt.Key_Up: "Up",
    Qt.Key_Down: "Down",
    Qt.Key_Escape: "Escape",
    Qt.Key_Space: "space",
    Qt.Key_Shift: "Shift_L",
    Qt.Key_Control: "Control_L",
    Qt.Key_Alt: "Alt_L",
}


class ViewPane(QWidget):
    """What qMRMLSliceView and qMRMLThreeDView have in common (ctkVTKAbstractView)."""

    rendered = Signal()
    SAMPLES_AT_REST = 0

    def __init__(self, view, renders: RenderQueue, parent=None):
        super().__init__(parent)
        self._view, self._renders = view, renders
        self._image = QImage()
        self._wheel = 0
        self._paused = 0
        self._isStale = True
        self._corner = vtkCornerAnnotation()
        self._listenToMouse()
        self._attach()

    def _listenToMouse(self) -> None:
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(48, 48)

    def _attach(self) -> None:
        self._view.set_scheduled_render(RenderRequests(self.scheduleRender))
        interactor = self._view.interactor()
        interactor.EnableRenderOff()
        self._renderTag = interactor.AddObserver(vtkCommand.RenderEvent, lambda *_: self.scheduleRender())
        self._corner.SetMaximumFontSize(14)
        self._corner.GetTextProperty().SetShadow(True)
        self._view.renderers()[-1].AddViewProp(self._corner)

    # Rendering

    def renderWindow(self):
        return self._view.render_window()

    def interactor(self):
        return self._view.interactor()

    def interactorStyle(self):
        return self._view.interactor_style()

    def cornerAnnotation(self):
        """The vtkCornerAnnotation of the view: ``SetText(position, text)``, then ``scheduleRender()``."""
        return self._corner

    def displayableManagerByClassName(self, name: str):
        return self._view.get_displayable_manager_by_class(name)

    def scheduleRender(self) -> None:
        """Render when the event loop is reached again, once for all requests until then."""
        self._isStale = True
        if self.canRender:
            self._renders.add(self)

    def forceRender(self) -> None:
        self._renders.remove(self)
        self.renderNow(True)

    @property
    def canRender(self) -> bool:
        return self._view is not None and not self._paused and self.isVisible()

    @property
    def hasFine(self) -> bool:
        """Whether a picture at rest is worth more than one in between."""
        return self.SAMPLES_AT_REST > 0

    def pauseRender(self) -> int:
        self._paused += 1
        return self._paused

    def resumeRender(self) -> int:
        self._paused = max(0, self._paused - 1)
        if not self._paused and self._isStale:
            self.scheduleRender()
        return self._paused

    def setRenderPaused(self, paused: bool) -> int:
        return self.pauseRender() if paused else self.resumeRender()

    @property
    def isRenderPending(self) -> bool:
        return self._renders.isWaiting(self)

    def _cornerText(self) -> str:
        return self._corner.GetText(vtkCornerAnnotation.LowerLeft) or ""

    def _setCornerText(self, text: str) -> None:
        self._corner.ClearAllTexts()
        self._corner.SetText(vtkCornerAnnotation.LowerLeft, text)
        self.scheduleRender()

    def _backgroundColor(self) -> QColor:
        return QColor.fromRgbF(*self._view.renderer().GetBackground())

    def _setBackgroundColor(self, color: QColor) -> None:
        self._view.renderer().SetBackground(color.redF(), color.greenF(), color.blueF())
        self.scheduleRender()

    cornerAnnotationText = Property(str, _cornerText, _setCornerText)
    backgroundColor = Property(QColor, _backgroundColor, _setBackgroundColor)

    def renderNow(self, isFine: bool) -> None:
        """Draw at once; smooth edges take most of the time in software and are for a view at rest (``isFine``)."""
        if self._paused or self._view is None or self._pixelSize().isEmpty():
            return
        self._isStale = False
        self.renderWindow().SetMultiSamples(self.SAMPLES_AT_REST if isFine else 0)
        with quietStart(self._image.isNull()):
            self._image = renderedImage(self._view)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.update()
        self.rendered.emit()

    def _pixelSize(self) -> QSize:
        return self.size() * self.devicePixelRatioF()

    def detach(self) -> None:
        """Let go of VTK: no render and no event after this."""
        self._renders.forget(self)
        self._view.interactor().RemoveObserver(self._renderTag)
        self._view.renderers()[-1].RemoveViewProp(self._corner)
        self._view.interactor().SetInteractorStyle(None)
        self._view.finalize()
        self._view = None

    # Qt's events

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), Qt.black)
        else:
            painter.drawImage(self.rect(), self._image, QRect(0, 0, self._image.width(), self._image.height()))

    def resizeEvent(self, event) -> None:
        if self._view is not None:
            self._resizeView(self._pixelSize())
            self.scheduleRender()

    def _resizeView(self, pixels: QSize) -> None:
        with quietStart():
            self._view.update_size(pixels.width(), pixels.height())
        self._view.render_window().SetDPI(round(72 * self.devicePixelRatioF()))

    def showEvent(self, event) -> None:
        self.scheduleRender()

    def mousePressEvent(self, event) -> None:
        self._forward(event, BUTTONS.get(event.button()), "ButtonPressEvent")

    def mouseReleaseEvent(self, event) -> None:
        self._forward(event, BUTTONS.get(event.button()), "ButtonReleaseEvent")

    def mouseDoubleClickEvent(self, event) -> None:
        self._forward(event, BUTTONS.get(event.button()), "ButtonDoubleClickEvent")

    def mouseMoveEvent(self, event) -> None:
        self._forward(event, "Mouse", "MoveEvent")

    def enterEvent(self, event) -> None:
        self._forward(event, "", "EnterEvent")

    def leaveEvent(self, event) -> None:
        if self._view is not None:
            self._view.interactor().InvokeEvent(vtkCommand.LeaveEvent)

    def wheelEvent(self, event) -> None:
        self._wheel += event.angleDelta().y() or event.angleDelta().x()
        while abs(self._wheel) >= WHEEL_NOTCH:
            forward = self._wheel > 0
            self._wheel -= WHEEL_NOTCH if forward else -WHEEL_NOTCH
            self._forward(event, "MouseWheel", "ForwardEvent" if forward else "BackwardEvent")
        event.accept()

    def keyPressEvent(self, event) -> None:
        self._forwardKey(event, "KeyPressEvent")

    def keyReleaseEvent(self, event) -> None:
        self._forwardKey(event, "KeyReleaseEvent")

    def _forward(self, event, prefix: str | None, name: str) -> None:
        if self._view is None or prefix is None:
            return
        self._renders.bringToFront(self)
        interactor = self._view.interactor()
        position = event.position() * self.devicePixelRatioF()
        self._setModifiers(interactor, event.modifiers() if hasattr(event, "modifiers") else Qt.NoModifier)
        interactor.SetEventPosition(round(position.x()), self._pixelSize().height() - 1 - round(position.y()))
        interactor.InvokeEvent(prefix + name)

    def _forwardKey(self, event, name: str) -> None:
        symbol = KEY_SYMBOLS.get(event.key()) or event.text()
        if self._view is None or not symbol:
            event.ignore()
            return
        interactor = self._view.interactor()
        self._setModifiers(interactor, event.modifiers())
        interactor.SetKeyCode(symbol if len(symbol) == 1 else "\0")
        interactor.SetKeySym(symbol)
        interactor.InvokeEvent(name)

    @staticmethod
    def _setModifiers(interactor, modifiers) -> None:
        interactor.SetControlKey(bool(modifiers & Qt.ControlModifier))
        interactor.SetShiftKey(bool(modifiers & Qt.ShiftModifier))
        interactor.SetAltKey(bool(modifiers & Qt.AltModifier))

    def event(self, event) -> bool:
        if event.type() == QEvent.DevicePixelRatioChange and self._view is not None:
            self._resizeView(self._pixelSize())
            self.scheduleRender()
        return super().event(event)


class SliceViewPane(ViewPane):
    """qMRMLSliceView."""

    SAMPLES_AT_REST = 4

    def __init__(self, view, logic, renders: RenderQueue, parent=None):
        super().__init__(view, renders, parent)
        self._logic = logic

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def sliceViewInteractorStyle(self):
        return self._view._interactor_observer

    def convertXYZToRAS(self, xyz) -> list[float]:
        return list(self.mrmlSliceNode().GetXYToRAS().MultiplyPoint([*xyz, 1.0])[:3])

    def convertRASToXYZ(self, ras) -> list[float]:
        from vtkmodules.vtkCommonMath import vtkMatrix4x4

        inverse = vtkMatrix4x4()
        vtkMatrix4x4.Invert(self.mrmlSliceNode().GetXYToRAS(), inverse)
        return list(inverse.MultiplyPoint([*ras, 1.0])[:3])

    def convertDeviceToXYZ(self, xy) -> list[float]:
        return [float(xy[0]), float(xy[1]), 0.0]

    def _resizeView(self, pixels: QSize) -> None:
        super()._resizeView(pixels)
        self._logic.ResizeSliceNode(pixels.width(), pixels.height())


class ThreeDViewPane(ViewPane):
    """qMRMLThreeDView."""

    def mrmlViewNode(self):
        return self._view.get_view_node()

    def cameraNode(self):
        return self._view.get_camera_node()

    def resetFocalPoint(self) -> None:
        self._view.reset_focal_point()
        self.scheduleRender()

    def resetCamera(self, resetRotation=True, resetTranslation=True, resetDistance=True) -> None:
        self.cameraNode().Reset(resetRotation, resetTranslation, resetDistance, self._view.renderer())
        self.scheduleRender()

    def rotateToViewAxis(self, axis: int) -> None:
        self.cameraNode().RotateTo(axis)
        self.scheduleRender()


def _notYet() -> None:
    """A view that is being made asks for 20 pictures, which nobody would see."""


class ViewWidget(QWidget):
    """What the widgets around the views have in common."""

    def __init__(self, pane: ViewPane, parent=None):
        super().__init__(parent)
        self._pane = pane
        self._controller = QWidget(self)
        self._controller.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pane)

    def viewWidget(self) -> ViewPane:
        return self._pane

    def controllerWidget(self) -> QWidget:
        """Stays hidden: the host's views have no bar of buttons."""
        return self._controller


class SliceWidget(ViewWidget):
    """qMRMLSliceWidget."""

    def __init__(self, scene, applicationLogic, name: str, renders: RenderQueue, parent=None):
        with quietStart():
            view = SliceView(scene, applicationLogic, name, RenderRequests(_notYet))
        self._logic = applicationLogic.GetSliceLogic(view.get_view_node())
        super().__init__(SliceViewPane(view, self._logic, renders), parent)
        self._view = view

    def sliceView(self) -> SliceViewPane:
        return self._pane

    def sliceController(self) -> QWidget:
        return self._controller

    def sliceLogic(self):
        return self._logic

    def mrmlSliceNode(self):
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def mrmlAbstractViewNode(self):
        return self._logic.GetSliceNode()

    def interactorStyle(self):
        return self._pane.sliceViewInteractorStyle()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()
        self._logic.SnapSliceOffsetToIJK()


class ThreeDWidget(ViewWidget):
    """qMRMLThreeDWidget."""

    def __init__(self, scene, applicationLogic, name: str, renders: RenderQueue, parent=None):
        with quietStart():
            view = ThreeDView(scene, applicationLogic, name, RenderRequests(_notYet))
        super().__init__(ThreeDViewPane(view, renders), parent)
        self._view = view

    def threeDView(self) -> ThreeDViewPane:
        return self._pane

    def threeDController(self) -> QWidget:
        return self._controller

    def mrmlViewNode(self):
        return self._view.get_view_node()

    def mrmlAbstractViewNode(self):
        return self._view.get_view_node()

"""Words in the views: what is shown where, with the colours explained beside the picture they belong to.

Slicer's own corner annotation is rewritten by its slice annotations, so these are actors of our own.
"""

from __future__ import annotations

from collections.abc import Sequence

import vtk

from . import colours, views

FONT_SIZE = 13
MARGIN = 8
LINE_HEIGHT = 19

Piece = tuple[str, str]
BRIGHT = 0.45


class Corners:
    """Text and a colour scale in the views of a layout manager.

    ``title`` stands in the upper left corner, (words, colour) side by side. ``lines`` are written upwards from the
    lower left corner as labels on a ground of their colour. ``clear`` takes everything out of the views again.
    """

    def __init__(self, layoutManager) -> None:
        self.layoutManager = layoutManager
        self._actors: dict[str, list] = {}

    def show(self, tag: str, title: Sequence[Piece], lines: Sequence[Sequence[Piece]] = (), scale=None) -> None:
        """Write into one view, replacing what was there. ``scale`` is (words, low, high) of the uncertainty or None."""
        view = self._view(tag)
        if view is None:
            return
        self._take(tag, view)
        actors = [*_row(view, title, None)]
        for number, pieces in enumerate(lines):
            actors += _row(view, pieces, MARGIN + number * LINE_HEIGHT)
        if scale is not None:
            actors += _scaleBar(*scale)
        for actor in actors:
            _renderer(view).AddViewProp(actor)
        self._actors[tag] = actors
        view.scheduleRender()

    def clear(self) -> None:
        for tag in list(self._actors):
            view = self._view(tag)
            if view is not None:
                self._take(tag, view)
                view.scheduleRender()
        self._actors.clear()

    def _take(self, tag: str, view) -> None:
        for actor in self._actors.pop(tag, ()):
            _renderer(view).RemoveViewProp(actor)

    def _view(self, tag: str):
        if tag == views.THREE_D_TAG:
            return self._threeDView()
        widget = self.layoutManager.sliceWidget(tag)
        return widget.sliceView() if widget else None

    def _threeDView(self):
        for number in range(self.layoutManager.threeDViewCount):
            view = self.layoutManager.threeDWidget(number).threeDView()
            if view.mrmlViewNode() and view.mrmlViewNode().GetLayoutName() == views.THREE_D_TAG:
                return view
        return None


def _renderer(view):
    return view.renderWindow().GetRenderers().GetItemAsObject(0)


def _row(view, pieces: Sequence[Piece], height: int | None) -> list:
    """Text actors side by side; ``height`` in pixels from below, None for the upper edge."""
    actors, left = [], MARGIN
    for words, colour in pieces:
        actor = _text(words, colour)
        if height is None:
            _placeAtTop(actor, left)
        else:
            _asLabel(actor, words, colour)
            actor.SetPosition(left, height)
        size = [0.0, 0.0]
        actor.GetSize(_renderer(view), size)
        left += round(size[0]) + MARGIN
        actors.append(actor)
    return actors


def _text(words: str, colour: str):
    actor = vtk.vtkTextActor()
    actor.SetInput(words)
    style = actor.GetTextProperty()
    style.SetFontSize(FONT_SIZE)
    style.SetFontFamilyToArial()
    style.SetColor(*colours.rgb(colour))
    style.SetBackgroundColor(0.0, 0.0, 0.0)
    style.SetBackgroundOpacity(0.45)
    return actor


def _asLabel(actor, words: str, colour: str) -> None:
    """Black or white letters, whichever can be read, on a ground of the colour that they explain."""
    red, green, blue = colours.rgb(colour)
    isBright = 0.299 * red + 0.587 * green + 0.114 * blue > BRIGHT
    actor.SetInput(f" {words} ")
    style = actor.GetTextProperty()
    style.SetColor(*([0.0] * 3 if isBright else [1.0] * 3))
    style.SetBackgroundColor(red, green, blue)
    style.SetBackgroundOpacity(0.9)


def _placeAtTop(actor, left: int) -> None:
    """A position that stays at the upper edge when the view changes its size."""
    upper = vtk.vtkCoordinate()
    upper.SetCoordinateSystemToNormalizedViewport()
    upper.SetValue(0.0, 1.0, 0.0)
    position = actor.GetPositionCoordinate()
    position.SetCoordinateSystemToViewport()
    position.SetReferenceCoordinate(upper)
    position.SetValue(left, -MARGIN, 0.0)
    actor.GetTextProperty().SetVerticalJustificationToTop()


def _scaleBar(words: str, low: float, high: float) -> list:
    """A vertical scale in viridis at the lower right, its ends in numbers."""
    bar = vtk.vtkScalarBarActor()
    bar.SetLookupTable(_lookupTable(low, high))
    bar.SetNumberOfLabels(3)
    bar.SetTitle(words)
    bar.UnconstrainedFontSizeOn()
    bar.SetLabelFormat("{:.2f}" if vtk.vtkVersion().GetVTKMajorVersion() >= 9 and _newFormats() else "%.2f")
    for style in (bar.GetLabelTextProperty(), bar.GetTitleTextProperty()):
        style.SetFontSize(FONT_SIZE - 2)
        style.SetFontFamilyToArial()
        style.SetBold(False)
        style.SetItalic(False)
        style.SetColor(*colours.rgb(colours.TEXT))
    bar.SetPosition(0.86, 0.25)
    bar.SetPosition2(0.13, 0.4)
    return [bar]


def _newFormats() -> bool:
    """VTK 9.6 formats with std::format, older ones with printf."""
    version = vtk.vtkVersion()
    return (version.GetVTKMajorVersion(), version.GetVTKMinorVersion()) >= (9, 6)


def _lookupTable(low: float, high: float):
    table = vtk.vtkLookupTable()
    table.SetNumberOfTableValues(256)
    table.SetTableRange(low, high)
    for index, colour in enumerate(colours.viridis()):
        table.SetTableValue(index, *colour, 1.0)
    return table

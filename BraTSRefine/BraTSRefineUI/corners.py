"""Words in the views: what is shown where, with the colours explained beside the picture they belong to.

Slicer's own corner annotation is rewritten by its slice annotations, so these are actors of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import vtk

from . import colours, views
from .overview import cutInside

FONT_SIZE = 13
MARGIN = 8
LINE_HEIGHT, LINE_AIR = 19, 3
SCALE_LEFT, TITLE_AIR = 0.86, 8
SHORTEST = 4

Piece = tuple[str, str]
BRIGHT = 0.45


@dataclass(frozen=True)
class Scale:
    """A scale of colours from ``low`` to ``high``; ``words`` say what is measured, mostly a unit."""

    words: str
    low: float
    high: float
    isDiverging: bool = False


@dataclass(frozen=True)
class Caption:
    """What stands in one view: ``title`` in the upper left corner, ``lines`` upwards from the lower left one."""

    title: tuple[Piece, ...]
    lines: tuple[tuple[Piece, ...], ...] = ()
    scale: Scale | None = None


class Corners:
    """Text and a colour scale in the views of a layout manager.

    The pieces (words, colour) of a title and of a line stand side by side as long as the view is wide enough, then
    below each other; the lines are labels on a ground of their colour. All is laid out anew where a view is resized.
    ``clear`` takes everything out of the views again.
    """

    def __init__(self, layoutManager) -> None:
        self.layoutManager = layoutManager
        self._actors: dict[str, list] = {}
        self._captions: dict[str, tuple[Caption, int]] = {}
        self._observed: dict[str, tuple] = {}

    def show(self, tag: str, title: Sequence[Piece], lines: Sequence[Sequence[Piece]] = (), scale=None) -> None:
        """Write into one view, replacing what was there."""
        view = self._view(tag)
        if view is None:
            return
        self._write(tag, view, Caption(tuple(title), tuple(map(tuple, lines)), scale))
        if tag not in self._observed:
            window = view.renderWindow()
            observer = window.AddObserver(vtk.vtkCommand.WindowResizeEvent, lambda *_: self._again(tag))
            self._observed[tag] = (window, observer)

    def words(self, tag: str) -> str:
        """What stands in a view, one line a line of the caption; empty where nothing does."""
        caption = self._captions[tag][0] if tag in self._captions else Caption(())
        return "\n".join(" ".join(words for words, _colour in pieces) for pieces in (caption.title, *caption.lines))

    def clear(self) -> None:
        for window, observer in self._observed.values():
            window.RemoveObserver(observer)
        for tag in list(self._actors):
            view = self._view(tag)
            if view is not None:
                self._take(tag, view)
                view.scheduleRender()
        self._actors.clear()
        self._captions.clear()
        self._observed.clear()

    def _again(self, tag: str) -> None:
        view = self._view(tag)
        if view is not None and tag in self._captions:
            self._write(tag, view, self._captions[tag][0])

    def _write(self, tag: str, view, caption: Caption) -> None:
        """Put the actors of a caption into a view, unless they stand there already."""
        width = view.renderWindow().GetSize()[0]
        if self._captions.get(tag) == (caption, width):
            return
        self._captions[tag] = caption, width
        self._take(tag, view)
        self._actors[tag] = _actors(view, caption, width)
        for actor in self._actors[tag]:
            _renderer(view).AddViewProp(actor)
        view.scheduleRender()

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


def _actors(view, caption: Caption, width: int) -> list:
    """The actors of a caption in a view of so many pixels."""
    actors = []
    depth = MARGIN
    for row in _rows(view, caption.title, width, _text):
        actors += [_placedAtTop(actor, left, depth) for actor, left in row]
        depth += _lineHeight(view, row)
    forLines = round(SCALE_LEFT * width) if caption.scale else width
    height = MARGIN
    for pieces in caption.lines:
        for row in reversed(_rows(view, pieces, forLines, _label)):
            for actor, left in row:
                actor.SetPosition(left, height)
                actors.append(actor)
            height += _lineHeight(view, row)
    return actors + ([_scaleBar(caption.scale)] if caption.scale else [])


def _rows(view, pieces: Sequence[Piece], width: int, make) -> list[list[tuple]]:
    """Rows of (actor, left edge); a piece that does not fit any more begins the next row."""
    rows, left = [[]], MARGIN
    for words, colour in pieces:
        actor, size = _fitting(view, words, colour, width - 2 * MARGIN, make)
        if rows[-1] and left + size > width - MARGIN:
            rows.append([])
            left = MARGIN
        rows[-1].append((actor, left))
        left += size + MARGIN
    return [row for row in rows if row]


def _fitting(view, words: str, colour: str, room: int, make) -> tuple:
    """The actor of a piece and its width; its words are cut inside where they are wider than the view."""
    actor = make(words, colour)
    size = _width(view, actor)
    while size > room and len(words) > SHORTEST:
        words = cutInside(words, max(SHORTEST, min(len(words) - 1, len(words) * room // max(size, 1))))
        actor = make(words, colour)
        size = _width(view, actor)
    return actor, size


def _width(view, actor) -> int:
    return _size(view, actor)[0]


def _lineHeight(view, row: Sequence[tuple]) -> int:
    """Letters are as many pixels high as the screen is dense; lines must not lie over each other."""
    return max(LINE_HEIGHT, *(_size(view, actor)[1] + LINE_AIR for actor, _left in row))


def _size(view, actor) -> tuple[int, int]:
    size = [0.0, 0.0]
    actor.GetSize(_renderer(view), size)
    return round(size[0]), round(size[1])


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


def _label(words: str, colour: str):
    """Black or white letters, whichever can be read, on a ground of the colour that they explain."""
    red, green, blue = colours.rgb(colour)
    isBright = 0.299 * red + 0.587 * green + 0.114 * blue > BRIGHT
    actor = _text(f" {words} ", colour)
    style = actor.GetTextProperty()
    style.SetColor(*([0.0] * 3 if isBright else [1.0] * 3))
    style.SetBackgroundColor(red, green, blue)
    style.SetBackgroundOpacity(0.9)
    return actor


def _placedAtTop(actor, left: int, depth: int):
    """The actor at a position that stays at the upper edge when the view changes its size."""
    upper = vtk.vtkCoordinate()
    upper.SetCoordinateSystemToNormalizedViewport()
    upper.SetValue(0.0, 1.0, 0.0)
    position = actor.GetPositionCoordinate()
    position.SetCoordinateSystemToViewport()
    position.SetReferenceCoordinate(upper)
    position.SetValue(left, -depth, 0.0)
    actor.GetTextProperty().SetVerticalJustificationToTop()
    return actor


def _scaleBar(scale: Scale):
    """A vertical scale at the lower right, its ends and its middle in numbers."""
    bar = vtk.vtkScalarBarActor()
    bar.SetLookupTable(_lookupTable(scale))
    bar.SetNumberOfLabels(3)
    bar.SetVerticalTitleSeparation(TITLE_AIR)
    bar.SetTitle(scale.words)
    bar.UnconstrainedFontSizeOn()
    bar.SetLabelFormat(_format(".0f" if scale.isDiverging else ".2f"))
    for style in (bar.GetLabelTextProperty(), bar.GetTitleTextProperty()):
        style.SetFontSize(FONT_SIZE - 2)
        style.SetFontFamilyToArial()
        style.SetBold(False)
        style.SetItalic(False)
        style.SetColor(*colours.rgb(colours.TEXT))
    bar.SetPosition(SCALE_LEFT, 0.25)
    bar.SetPosition2(0.13, 0.4)
    return bar


def _format(number: str) -> str:
    """VTK 9.6 formats with std::format, older ones with printf."""
    version = vtk.vtkVersion()
    isNew = (version.GetVTKMajorVersion(), version.GetVTKMinorVersion()) >= (9, 6)
    return f"{{:{number}}}" if isNew else f"%{number}"


def _lookupTable(scale: Scale):
    table = vtk.vtkLookupTable()
    table.SetNumberOfTableValues(256)
    table.SetTableRange(scale.low, scale.high)
    for index, colour in enumerate(colours.diverging() if scale.isDiverging else colours.viridis()):
        table.SetTableValue(index, *colour, 1.0)
    return table

"""trame-slicer's segment editor on an editor node that is given, and everything of it that must go again."""

import slicer
from trame_slicer.core import SegmentationEditor
from trame_slicer.segmentation import (
    SegmentationEffect,
    SegmentationEffectErase,
    SegmentationEffectIslands,
    SegmentationEffectNoTool,
    SegmentationEffectPaint,
    SegmentationEffectThreshold,
    SegmentationIslandsMode,
)
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode
from undo_stack import UndoStack

BRUSH_MM = 6.0


class SteadyThreshold(SegmentationEffectThreshold):
    """The preview does not blink: trame-slicer's blinking needs an event loop that a Qt window does not run."""

    def set_active(self, is_active: bool) -> None:
        SegmentationEffect.set_active(self, is_active)
        self.get_param_proxy().is_visible = is_active

    def _create_pipeline(self, view_node, parameter):
        """In views that are seen alone: others show no volume, and VTK complains of a preview without one."""
        return super()._create_pipeline(view_node, parameter) if view_node.IsMappedInLayout() else None


EFFECTS = {
    "Threshold": SteadyThreshold,
    "Paint": SegmentationEffectPaint,
    "Erase": SegmentationEffectErase,
    "Islands": SegmentationEffectIslands,
}
"""By the names of Slicer's own effects, in the order of their keys 1, 2, ..."""

BRUSHES = ("Paint", "Erase")


def nameOf(effect) -> str:
    """Slicer's name of an effect's object; empty for None and for the effect that does nothing."""
    return next((name for name, kind in EFFECTS.items() if isinstance(effect, kind)), "")


class _Views:
    """What trame-slicer asks of its own manager of views: the view of a node."""

    def get_view(self, node):
        manager = slicer.app.layoutManager()
        named = manager.sliceWidget if node.IsA("vtkMRMLSliceNode") else manager.threeDWidget
        widget = named(node.GetLayoutName())
        return widget._view if widget else None


class Editing(SegmentationEditor):
    """One segmentation that is edited with a source volume; undo is trame-slicer's."""

    def __init__(self, scene, node, undoLimit: int) -> None:
        self._given = node
        super().__init__(scene, slicer.modules.segmentations.logic(), _Views(), builtin_effects=[
            SegmentationEffectNoTool, *EFFECTS.values(),
        ])  # fmt: skip
        self.set_undo_stack(UndoStack(undo_limit=undoLimit))

    def _create_editor_node(self):
        return self._given

    def effectNamed(self, name: str):
        """The effect object of one of ``EFFECTS``."""
        return self.get_effect(EFFECTS[name])

    def activate(self, name: str) -> None:
        """Use an effect from now on; none for an empty name."""
        if not name:
            self.deactivate_effect()
            return
        self.set_active_effect_type(EFFECTS[name])
        if name in BRUSHES:
            effect = self.effectNamed(name)
            effect.set_brush_diameter(effect.get_brush_diameter(), BrushDiameterMode.Absolute)

    @property
    def brush(self) -> tuple[float, bool]:
        """Diameter in mm and whether it is a ball rather than a disc in the slice."""
        effect = self.effectNamed("Paint")
        return effect.get_brush_diameter(), effect.is_sphere_brush()

    def setBrush(self, diameter: float, isBall: bool) -> None:
        for name in BRUSHES:
            effect = self.effectNamed(name)
            effect.set_brush_diameter(diameter, BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(isBall)

    def applyThreshold(self, low: float, high: float) -> None:
        """Add what lies between the two grey levels to the current segment."""
        effect = self.effectNamed("Threshold")
        effect.set_threshold_min_max_values((low, high))
        effect.apply()

    def previewThreshold(self, low: float, high: float) -> None:
        self.effectNamed("Threshold").set_threshold_min_max_values((low, high))

    def keepLargestIsland(self) -> None:
        self.effectNamed("Islands").apply(SegmentationIslandsMode.KEEP_LARGEST_ISLAND)

    def removeSmallIslands(self, leastVoxels: int) -> None:
        effect = self.effectNamed("Islands")
        effect.set_minimum_island_size(leastVoxels)
        effect.apply(SegmentationIslandsMode.REMOVE_SMALL_ISLANDS)

    def clickOnIsland(self, removes: bool) -> None:
        """From now on a click in a slice removes the island there, or keeps that one alone."""
        mode = SegmentationIslandsMode.REMOVE_SELECTED if removes else SegmentationIslandsMode.KEEP_SELECTED
        self.effectNamed("Islands").set_island_mode(mode)

    def undoOrRedo(self, undoes: bool) -> None:
        """Which segments are visible stays: trame-slicer puts all of them in anew, and new ones are visible."""
        display = self.active_segmentation_node.GetDisplayNode() if self.active_segmentation_node else None
        ids = self.get_segment_ids()
        visible = {name: display.GetSegmentVisibility(name) for name in ids} if display else {}
        current = self.get_active_segment_id()
        (self.undo_stack.undo if undoes else self.undo_stack.redo)()
        for name, isVisible in visible.items():
            display.SetSegmentVisibility(name, isVisible)
        self.set_active_segment_id(current)

    def close(self) -> None:
        """Stop editing; the pipelines and the nodes of the effects go."""
        self.clear()
        factory = slicer.vtkMRMLLayerDMPipelineFactory.GetInstance()
        factory.RemovePipelineCreator(self._pipeline_creator)
        self.segmentation_modified.disconnect(self._on_segmentation_modified)
        for node in self._nodesOfEffects():
            if self._scene.IsNodePresent(node):
                self._scene.RemoveNode(node)

    def _nodesOfEffects(self) -> list:
        found = [effect._param_node for effect in self._effects.values()]
        names = tuple(effect.get_effect_name() for effect in self._effects.values())
        for node in slicer.util.getNodesByClass("vtkMRMLModelNode"):
            if (node.GetName() or "").startswith(names):
                found += [node, *(node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes()))]
        return [node for node in found if node is not None]

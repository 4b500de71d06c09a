"""What the host's tests put on the stage: the probe module, a ball-shaped image, a lesion, and looks at pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PROBE_FOLDER = Path(__file__).parent / "probe"
SHAPE = (60, 90, 90)
LESION_COLOUR = (0.337, 0.706, 0.914)


def started_host(**options):
    from BraTSRefine.Standalone.host import start

    return start("HostProbe", folder=PROBE_FOLDER, offscreen=True, **options)


def ball(radius: float = 28.0, offset=(0, 0, 0)) -> np.ndarray:
    """Ones fading to zero at the radius, around the middle of the grid."""
    middle = (np.array(SHAPE) - 1) / 2 + offset
    distance = np.sqrt(sum((axis - m) ** 2 for axis, m in zip(np.indices(SHAPE), middle, strict=True)))
    return np.clip(1.2 - distance / radius, 0, 1).astype(np.float32)


def volume_node(voxels: np.ndarray, kind: str = "vtkMRMLScalarVolumeNode"):
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass(kind, "image")
    slicer.util.updateVolumeFromArray(node, voxels)
    node.SetOrigin(*(-(n - 1) / 2 for n in reversed(SHAPE)))
    node.CreateDefaultDisplayNodes()
    return node


def segmentation_node(mask: np.ndarray):
    import slicer

    labels = volume_node(mask.astype(np.uint8), "vtkMRMLLabelMapVolumeNode")
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "lesion")
    node.CreateDefaultDisplayNodes()
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labels, node)
    slicer.mrmlScene.RemoveNode(labels)
    node.GetSegmentation().GetNthSegment(0).SetColor(*LESION_COLOUR)
    node.GetDisplayNode().SetVisibility2DFill(False)
    node.GetDisplayNode().SetSliceIntersectionThickness(3)
    node.CreateClosedSurfaceRepresentation()
    return node


def pixels(widget) -> np.ndarray:
    """A widget's picture, (height, width, 3) uint8."""
    from PySide6.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def has_colour(picture: np.ndarray, colour, tolerance: int = 12) -> bool:
    """At least ten pixels of that colour (0-1) are in the picture."""
    distance = np.abs(picture.astype(int) - np.round(np.array(colour) * 255).astype(int)).max(axis=2)
    return int((distance <= tolerance).sum()) >= 10

"""One host in the process, with the probe module and a brain-like ball in the scene."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parent))


def _import_package_before_module() -> None:
    """The module's folder holds a BraTSRefine.py that hides the package where another test put it on the path."""
    hiding = [folder for folder in sys.path if (Path(folder) / "BraTSRefine.py").is_file()]
    for folder in hiding:
        sys.path.remove(folder)
    import BraTSRefine.Standalone

    assert BraTSRefine.Standalone.__doc__
    sys.path.extend(hiding)


_import_package_before_module()

from host_stage import ball, segmentation_node, started_host, volume_node  # noqa: E402


@pytest.fixture(scope="module")
def host():
    started = started_host(size=(1280, 800))
    yield started
    started.close()


@pytest.fixture
def scene_with_lesion(host):
    """A ball-shaped image, shown in all slice views, and a segmentation with one off-centre lesion as outline."""
    import slicer

    nodes = [volume_node(ball() * 1000.0), segmentation_node(ball(radius=12, offset=(0, 0, 14)) > 0)]
    slicer.util.setSliceViewerLayers(background=nodes[0], foreground=None, fit=True)
    host.settle()
    yield nodes
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)
    host.settle()

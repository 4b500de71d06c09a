"""The stand-ins offer only what Slicer's own classes have, under the same names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Property, Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from surface_names import Surface

OWN = {"LayoutManager": {"panes", "close"}}


@pytest.fixture(scope="module")
def surface():
    return Surface.read()


def test_ctk_stand_ins_have_no_other_properties_and_signals(surface):
    from BraTSRefine.Standalone.stand_ins import ctk

    for name in ctk.__all__:
        members = vars(getattr(ctk, name)).items()
        offered = [m for m, item in members if isinstance(item, Property | Signal) and not m.startswith("_")]
        assert [m for m in offered if not surface.member(name, m)] == [], name


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("layouts.LayoutManager", "qSlicerLayoutManager"),
        ("views.SliceWidget", "qMRMLSliceWidget"),
        ("views.ThreeDWidget", "qMRMLThreeDWidget"),
        ("plots.PlotWidget", "qMRMLPlotWidget"),
        ("stand_ins.segmenteditor.qMRMLSegmentEditorWidget", "qMRMLSegmentEditorWidget"),
    ],
)
def test_views_and_layout_manager_have_no_other_public_names(surface, ours, theirs):
    from importlib import import_module

    module, _dot, name = ours.rpartition(".")
    members = vars(getattr(import_module(f"BraTSRefine.Standalone.{module}"), name))
    offered = {m for m in members if not m.startswith("_")} - OWN.get(name, set()) - {"staticMetaObject"}
    assert {m for m in offered if not surface.member(theirs, m)} == set()


def test_application_has_no_other_public_names(surface):
    from BraTSRefine.Standalone.application import Application

    needed_by_slicer_util = {"testingEnabled"}
    offered = {m for m in vars(Application) if not m.startswith("_")} - {"staticMetaObject"} - needed_by_slicer_util
    assert {m for m in offered if not surface.member("qSlicerApplication", m)} == set()

"""Every Slicer name that the module uses exists in Slicer 5.10 and newer, in forms that PythonQt understands."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from surface_check import check, checkModule, widgetsOf
from surface_names import Surface

MODULE_FOLDER = Path(__file__).parents[2] / "BraTSRefine"


@pytest.fixture(scope="module")
def surface():
    return Surface.read()


def messages(surface, source: str, ui=None) -> str:
    return "\n".join(map(str, check(source, "snippet.py", surface, ui)))


def test_module_uses_only_what_slicer_has(surface):
    findings = checkModule(MODULE_FOLDER, surface)
    assert not findings, "\n" + "\n".join(map(str, findings))


def test_a_fault_planted_in_the_module_is_found(surface, tmp_path):
    shutil.copytree(MODULE_FOLDER, tmp_path / "BraTSRefine", ignore=shutil.ignore_patterns("Standalone", "__pycache__"))
    file = tmp_path / "BraTSRefine" / "BraTSRefineUI" / "workbench.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n\ndef fault(ui):\n    ui.openButton.setText('x')\n")
    findings = checkModule(tmp_path / "BraTSRefine", surface)
    assert [finding.path for finding in findings] == ["BraTSRefineUI/workbench.py"]
    assert "QPushButton.setText" in findings[0].message


def test_surface_is_small_enough_to_travel():
    assert (Path(__file__).parent / "slicer_surface.json").stat().st_size < 300_000


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("import qt\nqt.QLable()", "qt.QLable does not exist"),
        ("import qt\nqt.QtCore.QTimer()", "qt.QtCore does not exist"),
        ("import ctk\nctk.ctkFancyButton()", "ctk.ctkFancyButton does not exist"),
        ("import slicer\nslicer.util.loadUi('x')", "slicer.util.loadUi does not exist"),
        ("import slicer\nslicer.util.executePythonModule('x', [])", "came with Slicer v5.1"),
        ("from slicer.i18n import trr", "slicer.i18n.trr does not exist"),
        ("import slicer\nslicer.vtkMRMLSliceNod()", "slicer.vtkMRMLSliceNod does not exist"),
        ("import slicer\nslicer.vtkMRMLSliceNode.JumpAll()", "vtkMRMLSliceNode has no JumpAll"),
        ("import slicer\nslicer.mrmlScene.AddNodeByClass('x')", "vtkMRMLScene has no AddNodeByClass"),
        ("import slicer\nslicer.app.mainWindow()", "qSlicerApplication.mainWindow"),
        ("import slicer\nslicer.app.layoutManager().sliceViewName()", "qSlicerLayoutManager.sliceViewName"),
        ("import vtk\nvtk.vtkMatrix5x5()", "vtk.vtkMatrix5x5 does not exist"),
        ("from PySide6.QtCore import QTimer", "PySide6.QtCore does not exist in Slicer"),
        ("import qt\nx = qt.QLabel()\nx.setText('a')", "QLabel.setText"),
        ("import qt\nx = qt.QCheckBox()\nif x.isChecked(): pass", "QCheckBox.isChecked"),
        ("import qt\nx = qt.QLabel()\nx.text()", "QLabel.text is a property"),
        ("import qt\nx = qt.QPushButton()\nx.colour = 1", "QPushButton.colour"),
        ("import qt\nx = qt.QComboBox()\ny = x.currentData", "QComboBox.currentData"),
        ("import qt\nx = qt.QTableWidget()\nx.horizontalHeader().setStretchLast(True)", "QHeaderView.setStretchLast"),
        ("def f(widget):\n    widget.setVisible(True)", ".setVisible is the getter or setter"),
        ("def f(widget):\n    widget.setToolTip('x')\n    widget.setChecked(True)", ".setChecked is the getter"),
        ("import qt\nqt.QLabel(text='a')", "takes no keyword arguments"),
        ("import qt\nqt.QTimer.singleShot(msec=1, f=2)", "takes no keyword arguments"),
        ("import qt\nb = qt.QPushButton()\nb.connect('clicked()', print)", "PythonQt only"),
        ("def f(b, g):\n    b.connect('clicked(bool)', g)", "PythonQt only"),
        ("from functools import partial\ndef f(b):\n    b.clicked.connect(partial(print, 1))", "functools.partial"),
        ("import qt\nd = qt.QDialog()\ndef f(b):\n    b.clicked.connect(d.accept)", "is a C++ slot"),
        ("def f(b, i):\n    b.clicked.connect(lambda i=i: print(i))", "replaces the bound default"),
        ("import qt\nqt.Qt.AlignmentFlag.AlignLeft", "is a scoped enum"),
        ("import qt\nqt.QSizePolicy.Policy.Expanding", "is a scoped enum"),
        ("import qt\nqt.QSizePolicy.Expandin", "qt.QSizePolicy.Expandin does not exist"),
        ("import qt\nname, kind = qt.QFileDialog.getOpenFileName()", "one value in PythonQt and two"),
        ("import qt\nclass A:\n    s = qt.Signal(int)", "made extensions crash"),
        ("import qt\nclass W(qt.QWidget):\n    def f(self):\n        self.setEnabled(False)", "QWidget.setEnabled"),
        ("def f(:\n    pass", "is no Python 3.12"),
    ],
)
def test_form_that_slicer_would_not_understand_is_found(surface, source, complaint):
    assert complaint in messages(surface, source)


PORTABLE = """
import qt
import slicer

x = qt.QLabel()
x.text = "a"
x.show()
x.setFixedWidth(3)
i = qt.QTableWidgetItem("a")
i.setText(i.text() + "b")
i.setData(qt.Qt.UserRole + 1, 2)
b = qt.QPushButton("x")
b.clicked.connect(lambda checked=False, i=3: print(i))
t = qt.QTimer()
t.interval = 10
t.timeout.connect(print)
t.start()
qt.QTimer.singleShot(5, print)
m = slicer.app.layoutManager()
m.setLayout(3)
m.sliceWidget("Red").sliceView().scheduleRender()
p = qt.QProcess()
p.finished.connect(print)
p.start("a", ["b"])
p.state() == qt.QProcess.NotRunning
qt.QHeaderView.Stretch
qt.Qt.AlignLeft | qt.Qt.AlignVCenter


class W(qt.QWidget):
    def __init__(self):
        qt.QWidget.__init__(self)
        self.mine = 1


def install():
    if hasattr(slicer, "packaging"):
        slicer.packaging.pip_ensure("x")


def show(node):
    node.SetVisibility(True)
    with slicer.util.tryWithErrorDisplay("x", waitCursor=True):
        slicer.util.getNode(pattern="x")
"""


def test_portable_forms_are_left_alone(surface):
    assert messages(surface, PORTABLE) == ""


def test_widget_of_a_ui_file_is_known_by_its_object_name(surface):
    source = (
        "def f(self):\n    self.ui.box.setCurrentText('x')\n    self.ui.box.currentText = 'y'\n    self.ui.box.count()"
    )
    assert "QComboBox.setCurrentText" in messages(surface, source, {"box": "QComboBox"})
    assert messages(surface, source, {"box": "QComboBox"}).count("QComboBox.") == 2, "count is a property"


def test_faults_of_a_ui_file_are_found(surface, tmp_path):
    file = tmp_path / "bad.ui"
    file.write_text(
        '<ui><widget class="QFancyWidget" name="a">'
        '<property name="o"><enum>Qt::Orientation::Horizontal</enum></property>'
        '<widget class="QLabel" name="twice"/><widget class="QLabel" name="twice"/></widget></ui>'
    )
    text = "\n".join(map(str, widgetsOf([file], surface)[1]))
    assert "QFancyWidget is not known" in text
    assert "scoped enum" in text
    assert "twice is used twice" in text

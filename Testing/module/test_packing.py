"""What one process tells another of a case: questions and answers come back as they were, and nothing else is taken."""

from __future__ import annotations

import ast
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from BraTSRefineUI import packing
from BraTSRefineUI.casedata import CaseData, Image, Labels, UncertaintyMap
from BraTSRefineUI.maps import MapFile
from BraTSRefineUI.plaindata import fromPlain, toPlain
from BraTSRefineUI.reading import CaseRead, Reading, workOut
from BraTSRefineUI.vtkarrays import Surface

from BraTSRefineLib.cohort import Case, Geometry, Problem, Workspace
from BraTSRefineLib.regions import label_convention

MODULE = Path(__file__).resolve().parents[2] / "BraTSRefine"
GRID = Geometry((60, 50, 40), (1.0, 0.9, 1.25), (-3.5, 0.1, 7.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
CONVENTION = label_convention("brats2023")


@pytest.fixture
def answer() -> CaseRead:
    """A case with everything that takes time worked out."""
    tissues = np.zeros((40, 50, 60), np.uint8)
    tissues[10:20, 10:30, 5:40], tissues[12:18, 12:20, 10:20] = 2, 3
    regions = {region: CONVENTION.mask(tissues, region) for region in ("WT", "TC", "ET")}
    reference, prediction = Labels("reference", regions, GRID, tissues), Labels("fold_0", regions, GRID, tissues)
    image = Image(np.arange(120000, dtype=np.float32).reshape(40, 50, 60), GRID)
    data = CaseData("case", {"t1c": image}, reference, prediction, problems=("µ: no image",))
    uncertainty = UncertaintyMap(np.full((40, 50, 60), 0.1, np.float32), GRID, "entropy", "WT", members=5)
    return workOut(CaseRead(data, ("µ",), uncertainty))


@pytest.fixture
def packed(answer, tmp_path) -> Path:
    packing.pack(answer, tmp_path / "1.case")
    return tmp_path / "1.case"


def test_a_question_comes_back_as_it_was():
    case = Case(
        "case",
        attributes={"scanner": "A"},
        images={"t1c": Path("/data/µ/t1c.nii.gz")},
        predictions={"fold_0": Path("/data/fold_0.nii.gz")},
        labels=CONVENTION,
        model_labels={"fold_0": CONVENTION},
        problems=(Problem("is doubtful", "case", "fold_0", Path("/data/fold_0.nii.gz"), "note"),),
    )
    chosen = MapFile("entropy", "WT", Path("/kept/entropy_WT.nii.gz"), "fold_0")
    asked = Reading(case, "fold_0", ("fold_1",), chosen, Workspace(Path("/kept")), Path("/kept/1.nii.gz"), False)
    assert fromPlain(json.loads(json.dumps(toPlain(asked)))) == asked


def test_an_answer_comes_back_with_all_that_was_worked_out(answer, packed):
    back = packing.unpack(packed)
    assert (back.imageProblems, back.verdicts) == (answer.imageProblems, answer.verdicts)
    assert (back.data.case, back.data.problems) == (answer.data.case, answer.data.problems)
    image, labels = back.data.images["t1c"], back.data.prediction
    assert image.geometry == labels.geometry == back.uncertainty.geometry == GRID
    assert vars(image)["window"] == answer.data.images["t1c"].window
    assert_same_surface(vars(image)["brain"], answer.data.images["t1c"].brain)
    assert vars(labels)["bounds"] == answer.data.prediction.bounds
    assert vars(labels)["regionBounds"] == answer.data.prediction.regionBounds
    assert_same_surface(vars(labels)["surfaces"]["ET"], answer.data.prediction.surfaces["ET"])
    np.testing.assert_array_equal(labels.regions["TC"], answer.data.prediction.regions["TC"])
    np.testing.assert_array_equal(back.uncertainty.voxels, answer.uncertainty.voxels)
    assert back.uncertainty.members == 5


def assert_same_surface(found: Surface, expected: Surface) -> None:
    for name in ("points", "normals", "triangles"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_packed_arrays_come_back_whatever_their_shape_and_kind(tmp_path):
    masks = np.zeros((40, 50, 60), bool)
    masks[3:9, 10:20, 5:50] = True
    found = {
        "mask": masks,
        "full": np.ones((64, 64, 64), np.uint8),
        "nothing": np.zeros((70, 70, 70), np.uint8),
        "image": np.arange(60000, dtype=np.float32).reshape(20, 50, 60),
        "turned": np.arange(24000, dtype=np.int16).reshape(20, 30, 40).T,
        "small": np.array([True, False]),
        "words": "µ",
    }
    packing.pack(found, tmp_path / "packed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packed"]
    back = packing.unpack(tmp_path / "packed")
    for name, value in found.items():
        np.testing.assert_array_equal(back[name], value)
        assert getattr(back[name], "dtype", None) == getattr(value, "dtype", None)
    assert (tmp_path / "packed").stat().st_size < sum(v.nbytes for v in found.values() if hasattr(v, "nbytes")) / 1.5


def test_a_large_array_lies_in_the_file_and_a_change_stays_ours(packed):
    voxels = packing.unpack(packed).data.images["t1c"].voxels
    assert not voxels.flags.owndata
    voxels[...] = 0
    assert packing.unpack(packed).data.images["t1c"].voxels.any()


@pytest.mark.parametrize("kept", [0, 10, 100, 0.5, -1])
def test_a_file_that_was_cut_is_refused(packed, kept):
    content = packed.read_bytes()
    packed.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(packing.PackingError, match=r"1\.case"):
        packing.unpack(packed)


@pytest.mark.parametrize("place", [0, 9, 17, 30, 200])
def test_a_file_that_was_changed_is_refused(packed, place):
    content = bytearray(packed.read_bytes())
    content[place] ^= 1
    packed.write_bytes(content)
    with pytest.raises(packing.PackingError, match=r"1\.case"):
        packing.unpack(packed)


@pytest.mark.parametrize(
    "said",
    [
        {"Path": {"args": ["/"]}},
        {"system": ["true"]},
        {"Image": {"voxels": 1, "geometry": None, "more": 2}},
        {"MapFile": {"quantity": "entropy"}},
        {"tuple": 3},
        {"tuple": [], "map": []},
        {"array": {"dtype": "|O", "shape": [1], "place": 0}},
        {"array": {"dtype": "<f4", "shape": [1000], "place": 0}},
        {"array": {"dtype": "<f4", "shape": [-1], "place": 0}},
        {"array": {"dtype": "<f4", "shape": [1], "place": -64}},
        {"array": {"dtype": "|u1", "shape": [4], "place": 0, "box": [[2, 9]]}},
        {"array": {"dtype": "|u1", "shape": [2**62], "place": 0, "box": [[0, 1]]}},
    ],
)
def test_a_file_that_says_anything_else_is_refused(tmp_path, said):
    words = json.dumps(said).encode()
    path = tmp_path / "1.case"
    path.write_bytes(packing.START.pack(packing.MAGIC, len(words), zlib.crc32(words)) + words + bytes(100))
    with pytest.raises(packing.PackingError, match=r"1\.case"):
        packing.unpack(path)


def test_a_surface_of_points_that_are_not_there_is_refused(tmp_path):
    surface = Surface(np.zeros((3, 3), np.float32), np.zeros((3, 3), np.float32), np.array([[0, 1, 2]]))
    surface.triangles[0, 2] = 3
    packing.pack(surface, tmp_path / "1.case")
    with pytest.raises(packing.PackingError, match="corner"):
        packing.unpack(tmp_path / "1.case")


@pytest.mark.parametrize("what", [print, {1, 2}, np.array([print]), np.array(["text"])])
def test_nothing_else_is_packed(tmp_path, what):
    with pytest.raises(TypeError):
        packing.pack(what, tmp_path / "1.case")
    assert list(tmp_path.iterdir()) == []


def test_the_module_reads_nothing_that_could_run():
    files = sorted(MODULE.rglob("*.py"))
    assert len(files) > 50
    assert not [str(path.relative_to(MODULE)) for path in files if imported(path) & {"pickle", "marshal", "shelve"}]


def imported(path: Path) -> set[str]:
    """The packages that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found

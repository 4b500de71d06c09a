"""TorchScript and torch.export programs predict as the network they were made of, and cannot do anything else."""

from __future__ import annotations

import io
import json
import os
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from described_networks import SEGRESNET, a_brain, built, on_disk, program_entries, traced, written
from small_models import CPU

from BraTSRefineLib.inference import InferenceError, PredictSession
from BraTSRefineLib.inference.exported_archive import check_exported, check_torchscript, program_kind
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.predict import predict_case

TILE = (1, 4, 16, 16, 16)


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """One network as TorchScript (traced, scripted) and as torch.export (of one tile, of any number)."""
    folder = tmp_path_factory.mktemp("programs")
    network = built("SegResNet", SEGRESNET)
    traced(network, folder / "traced.ts")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(network).save(str(folder / "scripted.pt"))
    torch.export.save(torch.export.export(network, (torch.zeros(TILE),)), folder / "one.pt2")
    tiles = (torch.zeros(2, *TILE[1:]),)
    any_number = torch.export.export(network, tiles, dynamic_shapes=({0: torch.export.Dim("tiles")},))
    torch.export.save(any_number, folder / "any.pt2")
    return folder


def opened(folder: Path, program: Path, **changed):
    return open_models(written(folder, program_entries(str(program), **changed), "program.yaml"))


@pytest.mark.parametrize("program", ["traced.ts", "scripted.pt", "one.pt2", "any.pt2"])
def test_a_program_predicts_as_the_network_that_it_was_made_of(tmp_path, programs, program):
    _, path = on_disk(tmp_path)
    expected = predict_case(a_brain(), open_models(path), device="cpu").probability
    found = predict_case(a_brain(), opened(tmp_path, programs / program), device="cpu", tiles_at_once=3)
    assert np.abs(found.probability - expected).max() < 1e-5


@pytest.mark.parametrize("program", ["traced.ts", "scripted.pt", "one.pt2", "any.pt2"])
def test_a_program_is_expected_to_cost_what_the_network_does(tmp_path, programs, program):
    _, path = on_disk(tmp_path)
    costs = []
    for models in (open_models(path), opened(tmp_path, programs / program)):
        with PredictSession(models, device="cpu") as session:
            costs.append(session.cost(a_brain()))
    assert costs[1].passes == costs[0].passes
    assert costs[1].memory == pytest.approx(costs[0].memory, rel=0.1)
    assert costs[1].seconds > 0


def test_a_program_is_in_evaluation_mode_and_its_weights_count(tmp_path, programs):
    (model,) = opened(tmp_path, programs / "one.pt2")
    network = model.network(CPU)
    assert not network.training
    expected = sum(one.numel() for one in built("SegResNet", SEGRESNET).parameters())
    assert sum(one.numel() for one in network.parameters()) == expected


def test_a_program_takes_its_own_patch_alone(tmp_path, programs):
    with pytest.raises(InferenceError, match="so no single window"):
        predict_case(a_brain(), opened(tmp_path, programs / "one.pt2"), device="cpu", mode="fast-window")


@pytest.mark.parametrize(
    ("changed", "made"),
    [({"patch": [16, 16, 32]}, "1x4x16x16x32"), ({"channels": ["t1c", "t2f"]}, "1x2x16x16x16")],
)
def test_a_program_of_other_tiles_is_refused(tmp_path, programs, changed, made):
    with pytest.raises(InferenceError, match=rf"exported for tiles of 1x4x16x16x16.*makes {made}"):
        opened(tmp_path, programs / "one.pt2", **changed)[0].network(CPU)


def test_nan_weights_are_refused(tmp_path):
    network = built("SegResNet", SEGRESNET)
    network.convInit.conv.weight.data[0] = torch.nan
    torch.export.save(torch.export.export(network, (torch.zeros(TILE),)), tmp_path / "nan.pt2")
    with pytest.raises(InferenceError, match=r"nan\.pt2: 1 of \d+ weights are NaN"):
        opened(tmp_path, tmp_path / "nan.pt2")[0].network(CPU)


def a_pickled_network(path: Path) -> None:
    torch.save(built("SegResNet", SEGRESNET), path)


def a_state_dictionary(path: Path) -> None:
    torch.save(built("SegResNet", SEGRESNET).state_dict(), path)


def a_letter(path: Path) -> None:
    path.write_text("Dear reader, this is a letter")


def a_zip_of_something(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "Dear reader")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (a_pickled_network, "a pickled network or a state dictionary, no program; describe weights with 'network'"),
        (a_state_dictionary, "a pickled network or a state dictionary"),
        (a_letter, "neither TorchScript nor a torch.export program; export it again"),
        (a_zip_of_something, "a zip file, but neither TorchScript nor"),
    ],
)
def test_a_file_that_is_no_program_is_refused_with_a_way_out(tmp_path, write, message):
    write(tmp_path / "file.pt")
    with pytest.raises(InferenceError, match=message):
        opened(tmp_path, tmp_path / "file.pt")[0].network(CPU)


def changed_archive(source: Path, target: Path, change) -> Path:
    """A copy of a zip archive; ``change(name, content)`` gives each file's new content."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name.split("/", 1)[1], old.read(name)))
    return target


def a_pickle_that_runs(marker: Path) -> bytes:
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    buffer = io.BytesIO()
    torch.save(Attack(), buffer)
    return buffer.getvalue()


def pickled_example_inputs(name, content, marker):
    return a_pickle_that_runs(marker) if name.startswith("data/sample_inputs") else content


def pickled_weight(name, content, marker):
    if name == "data/weights/weight_0":
        return a_pickle_that_runs(marker)
    if not name.endswith("weights_config.json"):
        return content
    config = json.loads(content)
    for payload in config["config"].values():
        payload["use_pickle"] = payload["path_name"] == "weight_0"
    return json.dumps(config)


def size_that_runs(name, content, marker):
    code = f"__import__('os').mkdir('{marker}')".encode()
    return re.sub(rb"Symbol\('s\d+', positive=True, integer=True\)", code, content) if "models/" in name else content


def operator_that_runs(name, content, marker):
    return content.replace(b"torch.ops.aten.relu_.default", b"torch.serialization.os.mkdir")


def operator_that_writes(name, content, marker):
    return content.replace(b"torch.ops.aten.relu_.default", b"torch.ops.aten.from_file.default")


@pytest.mark.parametrize(
    ("attack", "message"),
    [
        (pickled_example_inputs, "holds more than tensors"),
        (pickled_weight, "is pickled"),
        (size_that_runs, "a size in it is '__import__"),
        (operator_that_runs, "it calls 'torch.serialization.os.mkdir'"),
        (operator_that_writes, "it calls 'torch.ops.aten.from_file.default'"),
    ],
)
def test_an_exported_program_that_would_run_code_is_refused_before_it_does(tmp_path, programs, attack, message):
    marker = tmp_path / "it ran"
    path = changed_archive(
        programs / "any.pt2", tmp_path / "attack.pt2", lambda name, content: attack(name, content, marker)
    )
    with pytest.raises(InferenceError, match=rf"attack\.pt2: not loaded, .*{message}"):
        opened(tmp_path, path)[0].network(CPU)
    assert not marker.exists()


def test_an_archive_with_a_further_library_is_refused(tmp_path, programs):
    path = changed_archive(programs / "one.pt2", tmp_path / "attack.pt2", lambda name, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("one/data/aotinductor/model/library.so", b"\x7fELF")
    with pytest.raises(InferenceError, match=r"it holds 'data/aotinductor/model/library\.so'"):
        check_exported(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_with_two_files_of_one_name_is_refused(tmp_path, programs):
    """torch reads the first of them, Python's zipfile the last."""
    path = changed_archive(programs / "one.pt2", tmp_path / "attack.pt2", lambda name, content: content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("one/MODELS/model.json", "{}")
    with pytest.raises(InferenceError, match="two files of one name"):
        program_kind(path)


@pytest.mark.parametrize(
    "code",
    [
        "torch.save(x, 'file')",
        "torch.from_file('file', True, 10)",
        "ops.aten.from_file('file', True, 10)",
        "ops.mylib.attack(x)",
        "__torch__.torch.classes.mylib.Attack(x)",
        "getattr(torch, 'sa' 've')(x, 'file')",
        "getattr(torch, '\\x73ave')(x, 'file')",
    ],
)
def test_torchscript_that_could_write_files_is_refused(tmp_path, programs, code):
    method = f"\n  def attack(self, x):\n    return {code}\n".encode()
    path = changed_archive(
        programs / "traced.ts",
        tmp_path / "attack.ts",
        lambda name, content: content + method if name.startswith("code/") and name.endswith(".py") else content,
    )
    with pytest.raises(InferenceError, match=r"attack\.ts: not loaded, its code .* uses"):
        check_torchscript(path)


def test_a_truncated_program_is_told(tmp_path, programs):
    content = (programs / "one.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(content[: len(content) // 2])
    with pytest.raises(InferenceError, match=r"cut\.pt2: neither TorchScript nor a torch\.export program"):
        opened(tmp_path, tmp_path / "cut.pt2")[0].network(CPU)

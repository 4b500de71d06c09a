"""Trained models are found and opened by their path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from described_networks import a_brain, entries, on_disk, program_entries, traced, written
from nnunet_results import write_results
from small_bundles import a_bundle

from BraTSRefineLib.inference import InferenceError, nnunet_model
from BraTSRefineLib.inference.models import FoundModel, found_models, model_files, open_models
from BraTSRefineLib.inference.predict import predict_case
from BraTSRefineLib.regions import CONVENTIONS

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def a_folder_of_models(tmp_path) -> Path:
    """A bundle, a network of two folds, a program, a broken description, and another tool's YAML."""
    network, _ = on_disk(tmp_path, weights=["network.pt", "network.pt"], labels="brats2021")
    traced(network, tmp_path / "program.ts")
    written(tmp_path, program_entries("program.ts", channels=["t2f", "t1n", "t1c", "t2w"]), "program.yaml")
    written(tmp_path, entries(patch=[15, 16, 16]), "odd.yaml")
    written(tmp_path, {"network": "host", "services": ["web"]}, "compose.yaml")
    a_bundle(tmp_path / "bundle")
    return tmp_path


def test_every_model_of_a_folder_is_listed(a_folder_of_models):
    folder = a_folder_of_models
    bundle, network, odd, program = found_models(folder)
    channels, regions = ("t1c", "t1n", "t2w", "t2f"), ("WT", "TC", "ET")
    assert bundle == FoundModel("bundle", "MONAI bundle", folder / "bundle", "", (), channels, regions)
    assert network == FoundModel("network", "MONAI", folder / "network.yaml", "", ("0", "1"), channels, regions)
    assert (program.kind, program.channels) == ("exported program", ("t2f", "t1n", "t1c", "t2w"))
    assert "multiples of 2x2x2" in odd.problem


def test_models_are_listed_without_torch(a_folder_of_models):
    code = (
        "import sys; from pathlib import Path; from BraTSRefineLib.inference.models import found_models; "
        f"print(len(found_models(Path({str(a_folder_of_models)!r})))); "
        "assert not {'torch', 'monai', 'nnunetv2'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert (run.stdout.strip(), run.returncode) == ("4", 0), run.stderr


def test_a_folder_of_several_models_asks_for_one(a_folder_of_models):
    with pytest.raises(InferenceError, match="4 models fit one model; it holds bundle, network, odd, program"):
        open_models(a_folder_of_models)


def test_a_broken_model_says_why_when_it_is_opened(a_folder_of_models):
    with pytest.raises(InferenceError, match=r"odd\.yaml: SegResNet cannot take a patch of 15x16x16"):
        open_models(a_folder_of_models / "odd.yaml")


def test_weights_are_opened_by_the_description_beside_them(tmp_path):
    network, path = on_disk(tmp_path, weights=["network.pt", "other.pt"])
    torch.save(network.state_dict(), tmp_path / "other.pt")
    (model,) = open_models(tmp_path / "network.pt")
    assert model.weights == tmp_path / "network.pt"
    torch.save(network.state_dict(), tmp_path / "lonely.pt")
    with pytest.raises(InferenceError, match=r"lonely\.pt: no trained model; give an nnU-Net results folder"):
        open_models(tmp_path / "lonely.pt")
    torch.save(network.state_dict(), tmp_path / "third.pt")
    path.rename(tmp_path / "third.yaml")
    with pytest.raises(InferenceError, match=r"third\.yaml: describes other weights than third\.pt"):
        open_models(tmp_path / "third.pt")


@pytest.mark.parametrize("name", ["letter.txt", "image.nii.gz", "empty"])
def test_anything_else_is_refused_with_what_is_understood(tmp_path, name):
    path = tmp_path / name
    path.mkdir() if name == "empty" else path.write_text("Dear reader")
    with pytest.raises(InferenceError, match=f"{name}: no trained model; give an nnU-Net .* MONAI bundle .* YAML"):
        open_models(path)


def test_a_path_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InferenceError, match="nowhere: no such file or folder"):
        open_models(tmp_path / "nowhere")


def test_weights_that_are_not_there_are_told(tmp_path):
    path = written(tmp_path, entries())
    with pytest.raises(InferenceError, match=r"network\.pt: no such file; .*network\.yaml names it"):
        open_models(path)


def test_channels_and_labels_can_be_stated(tmp_path):
    _, path = on_disk(tmp_path)
    stated = ("t2f", "t1n", "t1c", "t2w")
    (model,) = open_models(path, channels=stated, convention=CONVENTIONS["brats2021"])
    assert model.description.channels == stated
    assert set(predict_case(a_brain(), [model], device="cpu").label_map.flat) <= {0, 1, 2, 4}


def test_nnunets_results_are_found_and_opened(tmp_path):
    full = write_results(tmp_path, folds=(0, 1), regions=True)
    write_results(tmp_path, "2d", folds=(0,), regions=True)
    flat, volume = found_models(tmp_path)
    assert (volume.kind, volume.configuration, volume.folds) == ("nnU-Net", "3d_fullres", ("0", "1"))
    assert (flat.configuration, flat.channels) == ("2d", ("t1n", "t1c", "t2w", "t2f"))
    assert set(volume.regions) == {"WT", "TC", "ET"}
    assert len(open_models(tmp_path, configuration="3d_fullres")) == 2
    assert len(open_models(full, folds=[1])) == len(open_models(full / "fold_1")) == 1
    assert len(open_models(full / "fold_0" / "checkpoint_final.pth")) == 1
    with pytest.raises(InferenceError, match="2 models fit one model"):
        open_models(tmp_path)
    with pytest.raises(InferenceError, match="0 models fit configuration 3d_lowres"):
        open_models(tmp_path, configuration="3d_lowres")


def test_only_regions_that_nnunets_network_gives_are_listed(tmp_path):
    """The convention knows NETC and SNFH as well, which no channel of a network trained on regions is."""
    labels = {"background": 0, "RC": [4], "whole tumor": [1, 2, 3], "tumor core": [1, 3], "enhancing tumor": [3]}
    folder = write_results(tmp_path, labels=labels)
    assert found_models(folder)[0].regions == ("WT", "TC", "ET", "RC")
    assert tuple(open_models(folder)[0].head.regions) == ("WT", "TC", "ET", "RC")


def test_nnunets_best_checkpoint_is_taken_only_where_it_is_asked_for(tmp_path):
    folder = write_results(tmp_path, checkpoint="checkpoint_best.pth")
    assert len(open_models(folder, checkpoint="best")) == 1
    with pytest.raises(InferenceError, match=r"no checkpoint_final\.pth"):
        open_models(folder)


@pytest.mark.parametrize("given", ["fold_1", "fold_1/checkpoint_final.pth", "other.pt"])
def test_a_model_is_found_again_by_its_own_path(tmp_path, given):
    results = write_results(tmp_path, folds=(0, 1))
    network, _ = on_disk(results, weights=["network.pt", "other.pt"])
    torch.save(network.state_dict(), results / "other.pt")
    (results / "network.yaml").rename(results / "other.yaml")
    (found,) = found_models(results / given)
    assert found.path == results / given
    assert found_models(found.path) == [found]
    assert len(open_models(found.path)) == 1


def test_the_files_of_a_described_network_are_the_yaml_and_the_folds_asked_for(tmp_path):
    _, path = on_disk(tmp_path, weights=["network.pt", "other.pt"])
    (found,) = found_models(path)
    assert model_files(found) == [path, tmp_path / "network.pt", tmp_path / "other.pt"]
    assert model_files(found, folds=[1]) == [path, tmp_path / "other.pt"]
    with pytest.raises(InferenceError, match="no fold 2"):
        model_files(found, folds=[2])


def test_the_files_of_a_bundle_are_its_configurations_and_weights(tmp_path):
    folder = a_bundle(tmp_path / "bundle", training={"train": {}})
    names = ("configs/inference.json", "configs/metadata.json", "configs/train.json", "models/model.pt")
    assert model_files(*found_models(folder)) == [folder / name for name in names]


@pytest.fixture
def a_cascade(tmp_path) -> Path:
    """Folds 0 and 1, 1 also as it was at its best; the first stage has one fold more."""
    write_results(tmp_path, "3d_lowres", folds=(0, 1, 2))
    write_results(tmp_path, "3d_cascade_fullres", folds=(1,), checkpoint="checkpoint_best.pth")
    return write_results(tmp_path, "3d_cascade_fullres", folds=(0, 1))


@pytest.mark.parametrize(
    ("below", "asked", "checkpoints"),
    [
        ("", {}, ("fold_0/checkpoint_final.pth", "fold_1/checkpoint_final.pth")),
        ("", {"folds": [1]}, ("fold_1/checkpoint_final.pth",)),
        ("", {"checkpoint": "best"}, ("fold_1/checkpoint_best.pth",)),
        ("fold_1", {"checkpoint": "best"}, ("fold_1/checkpoint_best.pth",)),
        ("fold_1/checkpoint_best.pth", {}, ("fold_1/checkpoint_best.pth",)),
    ],
    ids=["all", "one fold", "best", "best of a fold", "a file"],
)
def test_the_files_of_a_cascade_are_those_that_opening_it_reads(a_cascade, monkeypatch, below, asked, checkpoints):
    read = []
    load = nnunet_model.load_checkpoint
    monkeypatch.setattr(nnunet_model, "load_checkpoint", lambda path: read.append(path) or load(path))
    open_models(a_cascade / below, **asked)
    (found,) = found_models(a_cascade / below)
    files = model_files(found, **asked)
    assert {file for file in files if file.suffix == ".pth"} == set(read)
    first = a_cascade.with_name("nnUNetTrainer__nnUNetPlans__3d_lowres")
    folds = {checkpoint.split("/")[0] for checkpoint in checkpoints}
    assert {file for file in files if file.is_relative_to(a_cascade)} == {
        a_cascade / name for name in ("plans.json", "dataset.json", *checkpoints)
    }
    assert {file for file in files if file.is_relative_to(first)} == {
        first / "plans.json",
        first / "dataset.json",
        *(first / fold / "checkpoint_final.pth" for fold in folds),
    }


def test_nnunets_channels_can_be_stated_where_its_names_are_unknown(tmp_path):
    folder = write_results(tmp_path, channels=("noisy", "T1ce", "T2", "FLAIR"))
    assert "noisy" in found_models(folder)[0].problem
    with pytest.raises(InferenceError, match="noisy"):
        open_models(folder)
    assert len(open_models(folder, channels=("t1n", "t1c", "t2w", "t2f"))) == 1

"""Our prediction against nnU-Net's own, on the same checkpoints in the same run; the fast modes against the exact one.

Times and memory: a simulated case of 240x240x155x4 and small random networks, five folds and eight flips. What the fast
modes cost in Dice and HD95: really trained models on held-out simulated cases (BRATSREFINE_MODELS, made by
``python Testing/models/train.py OUT``). Where a GPU is found everything runs there and the bars are those of a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from run import FOLDER, Figure

sys.path.insert(0, str(FOLDER.parent / "inference"))

from nnunet_reference import CHANNELS, in_32_bits
from nnunet_results import simulated_case, write_results

from BraTSRefineLib.cohort import discover, read_label_map
from BraTSRefineLib.cohort.volumes import write_volume
from BraTSRefineLib.inference.case_images import read_case_images
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.predict import PredictSession, ReadCase
from BraTSRefineLib.scoring import score_pair

SHAPE, PATCH, FOLDS = (155, 240, 240), (128, 128, 128), (0, 1, 2, 3, 4)
SMALL = (44, 60, 52)
ON_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if ON_GPU else "cpu")
PRECISION = "fp16" if ON_GPU else "fp32"
THRESHOLD_MARGIN = 1e-3

PEAK = """
import re, sys
from pathlib import Path
from nnunet_results import simulated_case
from BraTSRefineLib.inference.models import open_models
from BraTSRefineLib.inference.predict import predict_case
model, folds, tta = sys.argv[1:]
predict_case(simulated_case((96, 128, 128)), open_models(model, folds=folds.split(",")), tta=tta, device="cpu")
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


NNUNET = """
import sys
import inference
inference.print_seconds_of_nnunet(sys.argv[1])
"""


def measure() -> list[Figure]:
    trained = os.environ.get("BRATSREFINE_MODELS", "")
    if not Path(trained, "held_out").is_dir():
        raise SystemExit(
            "train the small models first (python Testing/models/train.py OUT), set BRATSREFINE_MODELS=OUT"
        )
    print(f"device: {torch.cuda.get_device_name() if ON_GPU else f'CPU, {torch.get_num_threads()} threads'}")
    with tempfile.TemporaryDirectory() as folder:
        model = write_results(Path(folder) / "full", patch=PATCH, folds=FOLDS)
        small = write_results(Path(folder) / "small", patch=(32, 32, 32), folds=FOLDS)
        return [*_equality(small), *_times(model, Path(folder)), *_memory(small), *_fast_modes(Path(trained))]


def _equality(model: Path) -> Iterator[Figure]:
    """In 32 bits on both sides: nnU-Net's 16-bit sums differ from its own 32-bit ones by more than the bar."""
    images = simulated_case(SMALL)
    for words, folds, mirror in (("one fold", (0,), False), ("5 folds x 8 flips", FOLDS, True)):
        with in_32_bits():
            labels, channels = _nnunet(model, folds, mirror)(images)
        session = PredictSession(open_models(model, folds=folds), tta="flips" if mirror else "none", device="cpu")
        ours = session.predict(images)
        contested = np.sort(channels, axis=0)[-2:]
        clear = np.diff(contested, axis=0)[0] > 2 * THRESHOLD_MARGIN
        wrong = int(((ours.label_map != labels) & clear).sum())
        yield Figure(f"{words}: voxels with another label, no nearer than 1e-3 to the threshold", wrong, "<=", 0)
        apart = float(np.abs(_mean_logit_probability(session, images) - channels).max())
        yield Figure(f"{words}: largest difference of a probability of nnU-Net's kind", apart, "<=", 1e-4)


def _mean_logit_probability(session: PredictSession, images) -> np.ndarray:
    """Channel probabilities ``(channel, z, y, x)`` of the mean logit, which the label comes from; zero elsewhere."""
    with torch.inference_mode():
        passes = session._counted()
        run = session._run(ReadCase(images, {}), session.groups, session.regions, passes, None)
        values, box = run.vote.values.softmax(0).numpy(), run.box
    whole = np.zeros((len(values), *images.shape), np.float32)
    whole[0] = 1
    whole[(slice(None), *box)] = values
    return whole


def _times(model: Path, folder: Path) -> Iterator[Figure]:
    images = simulated_case(SHAPE)
    theirs = float(_in_a_process(NNUNET, str(model)).split()[-1])
    with _session(model, "flips") as session:
        session.predict(simulated_case(SMALL))
        ours = _seconds(lambda: session.predict(images))
        yield Figure("5 folds x 8 flips, 240x240x155: nnU-Net", theirs, unit="s")
        yield Figure("the same: ours, with all maps", ours, unit="s")
        yield Figure("nnU-Net / ours", theirs / ours, ">=", 1.3 if ON_GPU else 1.0)
    wide = write_results(folder / "wide", patch=PATCH, features=(16, 32, 64))
    for words, network in (("a network an eighth as wide as nnU-Net's", model), ("half as wide", wide)):
        yield _cost_of_uncertainty(words, network, images)
    five = _five_runs(model, images, folder)
    yield Figure("five nnU-Net runs that save probabilities / ours", five / ours, ">=", 3.0, detail=f"{five:.1f} s")


def print_seconds_of_nnunet(model: str) -> None:
    """Of nnU-Net's second case, in a process that is its own as it would be for a user."""
    predict = _nnunet(Path(model), FOLDS, True)
    predict(simulated_case(SMALL))
    images = simulated_case(SHAPE)
    print(_seconds(lambda: predict(images)))


def _in_a_process(code: str, *arguments: str) -> str:
    """What a script prints that finds this package, its tests' models and this benchmark."""
    paths = [FOLDER, FOLDER.parent / "inference", FOLDER.parents[1]]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


def _cost_of_uncertainty(words: str, model: Path, images) -> Figure:
    """One fold and eight flips, in turns, the fastest of two each. The wider the network, the less the maps weigh."""
    alone, with_maps = [], []
    mean = _session(model, "flips", folds=(0,), uncertainty=False)
    with mean, _session(model, "flips", folds=(0,)) as all_maps:
        for _ in range(2):
            alone.append(_seconds(lambda: mean.predict(images)))
            with_maps.append(_seconds(lambda: all_maps.predict(images)))
    name, detail = f"all uncertainty maps / the mean alone, {words}", f"{min(with_maps):.1f} s, {min(alone):.1f} s"
    return Figure(name, min(with_maps) / min(alone), "<=", 1.15, detail=detail)


def _session(model: Path, tta: str, folds=None, **settings) -> PredictSession:
    return PredictSession(open_models(model, folds=folds), tta=tta, device=str(DEVICE), precision=PRECISION, **settings)


def _nnunet(model: Path, folds: tuple[int, ...], mirror: bool) -> Callable:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(
        device=DEVICE, use_mirroring=mirror, perform_everything_on_device=ON_GPU, allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(model), folds)

    def predict(images):
        stack = np.stack([images.channels[channel] for channel in CHANNELS])
        properties = {"spacing": list(images.geometry.array_spacing)}
        return predictor.predict_single_npy_array(stack, properties, None, None, True)

    return predict


def _five_runs(model: Path, images, folder: Path) -> float:
    """nnU-Net's only way to the disagreement of folds: each by itself, as its own command, probabilities saved."""
    files = folder / "images"
    for place, channel in enumerate(CHANNELS):
        write_volume(files / f"case_{place:04d}.nii.gz", images.channels[channel], images.geometry)
    code = "from nnunetv2.inference.predict_from_raw_data import predict_entry_point_modelfolder as run; run()"
    seconds = 0.0
    for fold in FOLDS:
        arguments = ["-i", files, "-o", folder / f"fold{fold}", "-m", model, "-f", str(fold), "--save_probabilities"]
        arguments += ["-device", DEVICE.type, "-npp", "1", "-nps", "1"]
        command = [sys.executable, "-c", code, *map(str, arguments)]
        seconds += _seconds(lambda command=command: subprocess.run(command, check=True, capture_output=True))
    return seconds


def _memory(model: Path) -> Iterator[Figure]:
    """Of a whole process on the CPU, where the figure is the operating system's own.

    What grows is a bit a voxel and region for each member, kept for the members' agreement on whole structures; the
    masks of a random network, unlike a trained one's, fill their boxes.
    """
    peaks = {}
    for members, folds, tta in ((1, "0", "none"), (8, "0", "flips"), (40, "0,1,2,3,4", "flips")):
        peaks[members] = int(_in_a_process(PEAK, str(model), folds, tta).split()[-1]) / 2**20
    detail = ", ".join(f"{members} members {peak:.2f} GB" for members, peak in peaks.items())
    yield Figure("peak memory of 40 members / of 8", peaks[40] / peaks[8], "<=", 1.05, detail=detail)


def _fast_modes(trained: Path) -> Iterator[Figure]:
    """Times, and what Dice and HD95 lose, over the held-out cases; five trained folds, eight flips."""
    model = trained / "nnUNet_results" / "Dataset901_Phantom" / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    cases = discover(trained / "held_out").cases
    exact = _worth(model, cases, "exact")
    for mode in ("fast-window", "fast-roi"):
        fast = _worth(model, cases, mode)
        loss = ", ".join(
            f"{region} Dice {fast[1][region] - exact[1][region]:+.4f} HD95 {fast[2][region] - exact[2][region]:+.2f} mm"
            for region in exact[1]
        )
        detail = f"{exact[0]:.1f} s against {fast[0]:.1f} s for {len(cases)} cases; {loss}"
        yield Figure(f"exact / {mode}", exact[0] / fast[0], ">=", 3.0, detail=detail)


def _worth(model: Path, cases, mode: str) -> tuple[float, dict[str, float], dict[str, float]]:
    """Seconds, mean Dice and mean HD95 by region."""
    seconds, tables = 0.0, []
    with _session(model, "flips", mode=mode) as session:
        session.predict(read_case_images(cases[0]))
        for case in cases:
            images = read_case_images(case)
            start = time.perf_counter()
            prediction = session.predict(images)
            seconds += time.perf_counter() - start
            reference = read_label_map(case.reference)
            spacing = images.geometry.array_spacing
            labels = {"labels": case.labels, "prediction_labels": prediction.convention}
            tables.append(
                score_pair(reference, prediction.label_map, spacing, **labels).set_index(["region", "metric"])
            )
    values = sum(table["value"] for table in tables) / len(tables)
    return seconds, *({r: float(values[r, metric]) for r in ("WT", "TC", "ET")} for metric in ("dice", "hd95_mm"))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    if ON_GPU:
        torch.cuda.synchronize()
    return time.perf_counter() - start

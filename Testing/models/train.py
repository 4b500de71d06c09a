"""``python Testing/models/train.py OUT [--only nnunet3d,dropout,nnunet2d,swin,...]``: small real models.

Trains what the tests of inference run on: networks of nnU-Net and MONAI, each small enough for one core, on the
simulated cohort at 4 mm and (``real``) on the real cases at 2 mm. What is there already is not trained again, so that
a stopped run goes on where it was. Tests find the models through the environment variable BRATSREFINE_MODELS=OUT.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import short_nnunet
import small_monai
from held_out import mean_dice
from phantom_dataset import LABELLED, REGIONS, write_held_out, write_raw
from readme import readme
from real_dataset import REAL, write_real

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDS = range(5)
FEW_FOLDS = range(2)
REAL_MEMORY_GB = 0.02
"""The planner's target for the real cases: patches of 32 voxels a side."""


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    out = Path(options.out).expanduser().resolve()
    short_nnunet.set_environment(out)
    for step in options.only:
        started = time.monotonic()
        models = STEPS[step](out)
        print(f"{step}: {time.monotonic() - started:.0f} s", flush=True)
        _record(out, models)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", help="folder of the models; real cases are copied there too, keep it out of the project")
    parser.add_argument("--only", type=_steps, default=list(STEPS), help=f"some of {','.join(STEPS)}")
    return parser.parse_args(arguments)


def _steps(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - STEPS.keys()):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(STEPS)}")
    return names


def _phantom(
    out: Path, dataset: str, configurations: dict[str, Sequence[int]], only: Sequence[str] = (), epochs: int = 4
) -> list[Path]:
    write_raw(out, dataset)
    write_held_out(out)
    short_nnunet.plan_and_preprocess(dataset, only=only)
    for configuration, folds in configurations.items():
        short_nnunet.train(dataset, configuration, folds, epochs=epochs)
    return [short_nnunet.results(dataset, configuration) for configuration in configurations]


def _nnunet3d(out: Path) -> list[Path]:
    """Longer than the others: what the fast modes lose means little with networks that see tumour everywhere."""
    return _phantom(out, LABELLED, {"3d_fullres": FOLDS}, epochs=20)


def _dropout(out: Path) -> list[Path]:
    """The same network trained with dropout, so that one network has augmentations, dropout and folds to compare."""
    write_raw(out, LABELLED)
    short_nnunet.plan_and_preprocess(LABELLED)
    short_nnunet.add_dropout(LABELLED)
    return _phantom(out, LABELLED, {short_nnunet.WITH_DROPOUT: FOLDS}, epochs=20)


def _nnunet2d(out: Path) -> list[Path]:
    return _phantom(out, LABELLED, {"2d": FOLDS})


def _lowres(out: Path) -> list[Path]:
    """The cascade's first stage in all folds, since each predicts the cases that it has not seen for the second."""
    return _phantom(out, LABELLED, {"3d_lowres": FOLDS, "3d_cascade_fullres": FEW_FOLDS})


def _regions(out: Path) -> list[Path]:
    return _phantom(out, REGIONS, {"3d_fullres": FEW_FOLDS}, only=("3d_fullres",))


def _monai(out: Path) -> list[Path]:
    raw = write_raw(out, LABELLED)
    write_held_out(out)
    small_monai.train(out, "SwinUNETR", raw, iterations=160)
    small_monai.train(out, "SegResNet", raw, iterations=240)
    return [
        out / "monai" / f"{name}.yaml" for name in ("SwinUNETR", "SegResNet", *small_monai.export(out, "SegResNet"))
    ]


def _real(out: Path) -> list[Path]:
    """Nothing is held out: each fold's own validation cases are predicted (``fold_*/validation``)."""
    default = REPOSITORY.parent / "shared" / "data"
    write_real(out, Path(os.environ.get("BRATSREFINE_REAL_DATA", default)))
    short_nnunet.plan_and_preprocess(REAL, REAL_MEMORY_GB, only=("3d_fullres",))
    short_nnunet.train(REAL, "3d_fullres", FOLDS, iterations=30)
    return []


STEPS = {
    "nnunet3d": _nnunet3d,
    "dropout": _dropout,
    "nnunet2d": _nnunet2d,
    "swin": _monai,
    "regions": _regions,
    "lowres": _lowres,
    "real": _real,
}


def _record(out: Path, models: Sequence[Path]) -> None:
    """What the models reach on the held-out cases, in ``held_out.json`` and the README."""
    file = out / "held_out.json"
    dice = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for model in models:
        name = model.relative_to(out).as_posix()
        if name not in dice:
            dice[name] = mean_dice(out / "held_out", model)
            print(name, dice[name], flush=True)
    file.write_text(json.dumps(dice, indent=1) + "\n", encoding="utf-8")
    (out / "README.txt").write_text(readme(out, dice), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

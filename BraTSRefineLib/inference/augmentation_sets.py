"""The sets of augmentations that have a name, and explicit lists as they are written on the command line.

===========  =======  ============================================================================================
set          members  content
===========  =======  ============================================================================================
none         1        the identity
flips        8        every combination of mirrored axes
rotations    9        the identity, +-5 degrees about each axis, scalings by 0.95 and 1.05
full         20       flips, those rotations and scalings, gamma 0.8 and 1.25, two samples of noise (20 members as in
                      Wang et al. 2019)
dropout      21       the identity and 20 passes with active dropout, to compare with
===========  =======  ============================================================================================

Fewer where a model's training mirrored fewer axes (``augmentation.suitable``).

A list joins items by commas: the name of a set, ``flips:xy`` (every combination of these axes), ``flip:xy`` (both at
once), ``rotate:z:5``, ``scale:0.95``, ``gamma:0.8``, ``noise:0.05`` or ``noise:0.05:4`` (four samples), ``dropout:10``.
The identity is added in front. Rotations turn about the case's axes. Flips mirror the network's axes, as its training
did: z, y, x are the first, middle and last of them, which are those of the case unless nnU-Net transposes.

Alone may stand ``trained`` (``augmentation_training``) or the path of a policy file (``augmentation_policy``).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from .augmentation import IDENTITY, Augmentation, Flip, flips
from .augmentation_geometry import AXIS_LETTERS, Rotation, Scaling
from .augmentation_intensity import Gamma, Noise
from .dropout import PASSES, dropout_passes
from .model import InferenceError

DEGREES = 5.0
SCALES = (0.95, 1.05)
GAMMAS = (0.8, 1.25)
NOISE = 0.05
NOISE_DRAWS = 2


def rotations_and_scalings() -> tuple[Augmentation, ...]:
    """Eight warps, without the identity."""
    turns = (Rotation(axis, sign * DEGREES) for axis in range(3) for sign in (1, -1))
    return (*turns, *map(Scaling, SCALES))


def intensities(seed: int = 0) -> tuple[Augmentation, ...]:
    """Four changes of intensity."""
    return (*map(Gamma, GAMMAS), *(Noise(NOISE, seed, draw) for draw in range(NOISE_DRAWS)))


SETS: dict[str, Callable[[int], tuple[Augmentation, ...]]] = {
    "none": lambda seed: (IDENTITY,),
    "flips": lambda seed: flips(),
    "rotations": lambda seed: (IDENTITY, *rotations_and_scalings()),
    "full": lambda seed: (*flips(), *rotations_and_scalings(), *intensities(seed)),
    "dropout": lambda seed: (IDENTITY, *dropout_passes(PASSES, seed)),
}
"""By name, made from a seed; the identity comes first in each."""

TRAINED = "trained"
"""In place of a set: whatever the training of each model states or implies."""


def augmentations_of(text: str, seed: int = 0) -> tuple[Augmentation, ...]:
    """The augmentations of a set or of an explicit list, the identity first and each once.

    ``trained``: each model's own policy. A path that ends in .json or .yaml: that policy file's, weighted. Raises
    InferenceError for an item that is not understood, naming it and what may stand there.
    """
    from .augmentation_policy import SUFFIXES, read_policy
    from .augmentation_training import AsTrained

    if text.strip() == TRAINED:
        return (AsTrained(seed),)
    if text.strip().endswith(SUFFIXES):
        return read_policy(Path(text.strip()), seed)
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not items:
        raise InferenceError(f"no test-time augmentation in '{text}'; use {', '.join(SETS)} or a list")
    return _once([IDENTITY, *(member for item in items for member in items_of(item, seed))])


def items_of(item: str, seed: int = 0) -> tuple[Augmentation, ...]:
    """What one item of a list stands for. Raises InferenceError as ``augmentations_of``."""
    kind, *values = item.strip().split(":")
    if not values and kind in SETS:
        return SETS[kind](seed)
    if not values or kind not in READERS:
        forms = ", ".join((*SETS, TRAINED, *(form for form, _ in READERS.values())))
        raise InferenceError(f"unknown test-time augmentation '{item}'; use one of {forms}")
    form, read = READERS[kind]
    try:
        return read(values, seed)
    except ValueError:
        raise InferenceError(f"test-time augmentation '{item}' is not written as {form}") from None


def another_draw(augmentation: Augmentation, taken: Container[Augmentation]) -> Augmentation:
    """The augmentation; of what is drawn at random (noise, dropout) the first sample that is not taken."""
    while hasattr(augmentation, "draw") and augmentation in taken:
        augmentation = replace(augmentation, draw=augmentation.draw + 1)
    return augmentation


def _once(chosen: Iterable[Augmentation]) -> tuple[Augmentation, ...]:
    """Each once, in the order of first appearance."""
    kept: dict[Augmentation, None] = {}
    for augmentation in chosen:
        kept.setdefault(another_draw(augmentation, kept))
    return tuple(kept)


def _flips(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    (letters,) = values
    return flips(_axes(letters))


def _flip(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    (letters,) = values
    return (Flip(tuple(sorted(_axes(letters)))),)


def _axes(letters: str) -> Iterable[int]:
    axes = {AXIS_LETTERS.index(letter) for letter in letters}
    if len(axes) != len(letters) or not axes:
        raise ValueError(f"axes {letters}")
    return axes


def _rotation(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    axis, degrees = values
    (number,) = _axes(axis)
    return (Rotation(number, float(degrees)),)


def _scaling(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    (factor,) = values
    return (Scaling(float(factor)),)


def _gamma(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    (gamma,) = values
    return (Gamma(float(gamma)),)


def _noise(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    sigma, draws = values if len(values) == 2 else (*values, "1")
    if int(draws) < 1:
        raise ValueError(f"{draws} samples")
    return tuple(Noise(float(sigma), seed, draw) for draw in range(int(draws)))


def _dropout(values: Sequence[str], seed: int) -> tuple[Augmentation, ...]:
    (passes,) = values
    return dropout_passes(int(passes), seed)


READERS: dict[str, tuple[str, Callable[[Sequence[str], int], tuple[Augmentation, ...]]]] = {
    "flips": ("flips:xy", _flips),
    "flip": ("flip:xy", _flip),
    "rotate": ("rotate:z:5", _rotation),
    "scale": ("scale:0.95", _scaling),
    "gamma": ("gamma:0.8", _gamma),
    "noise": ("noise:0.05 or noise:0.05:2", _noise),
    "dropout": ("dropout:20", _dropout),
}
"""How an item is written, and what reads what follows its name."""

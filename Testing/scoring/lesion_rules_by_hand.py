"""The lesion-wise rules of BraTS 2023 and 2024, step by step as they are told, lesion by lesion, without any shortcut.

Arrays are in the order of the files, (x, y, z); spacing likewise.
"""

from __future__ import annotations

import numpy as np
from medpy.metric import binary
from scipy import ndimage

EIGHTEEN = ndimage.generate_binary_structure(3, 2)
TWENTY_SIX = np.ones((3, 3, 3))
COUNTS = ("true_positives", "false_positives", "false_negatives")


def grown(mask, steps):
    return ndimage.binary_dilation(mask, EIGHTEEN, steps)


def joined_by_dilation(mask, steps):
    zones, count = ndimage.label(grown(mask, steps), TWENTY_SIX)
    lesions = np.zeros(mask.shape, int)
    for zone in range(1, count + 1):
        lesions[mask & (zones == zone)] = zone
    return lesions


def without_specks(lesions, largest):
    kept = lesions.copy()
    for lesion in np.unique(lesions[lesions > 0]):
        if (lesions == lesion).sum() <= largest:
            kept[lesions == lesion] = 0
    return kept


def surface_dice(one, other, tolerance, spacing):
    distances = getattr(binary, "__surface_distances")
    shares = [np.mean(distances(a, b, spacing, 1) <= tolerance) for a, b in ((one, other), (other, one))]
    return sum(shares) / (2 + 1e-8)


def scores(reference, prediction, spacing, *, steps, smallest, penalty, hd95, tolerances=(), invented_count=True):
    """The scores of numbered lesions; ``hd95`` measures two masks."""
    rows, partners_of_any = [], set()
    for lesion in np.unique(reference[reference > 0]):
        mask = reference == lesion
        partners = set(np.unique(prediction[grown(mask, steps)])) - {0}
        partners_of_any |= partners
        matched = np.isin(prediction, list(partners))
        dice = 2 * (mask & matched).sum() / (mask.sum() + matched.sum())
        distance = hd95(mask, matched, spacing) if partners else penalty
        nsd = [surface_dice(matched, mask, t, spacing) if partners else 0 for t in tolerances]
        rows.append((mask.sum() * np.prod(spacing) > smallest, bool(partners), dice, distance, *nsd))
    invented = len(set(np.unique(prediction)) - {0} - partners_of_any)
    counted = [row for row in rows if row[0]]
    number = len(counted) + invented * invented_count
    sums = [sum(row[column] for row in counted) for column in range(2, 4 + len(tolerances))]
    sums[1] += invented * invented_count * penalty
    means = [total / number for total in sums] if number else [1, 0, *(1 for _ in tolerances)]
    found = sum(row[1] for row in counted)
    return {
        "dice": means[0],
        "hd95_mm": means[1],
        "nsd": dict(zip(tolerances, means[2:], strict=True)),
        "true_positives": found,
        "false_positives": invented,
        "false_negatives": len(counted) - found,
    }


def touching(first, second):
    pairs = set()
    for one in np.unique(first[first > 0]):
        for other in np.unique(second[second > 0]):
            if (grown(first == one, 1) & (second == other)).any():
                pairs.add((int(one), int(other)))
    return pairs


def renumbered(lesions, pairs):
    """Every lesion in ``pairs`` takes a new number, that of the first lesion of the other tissue that it touches."""
    if len(pairs) <= 1:
        return lesions
    following, shared, numbers = int(lesions.max()) + 1, {}, {}
    for _, other in sorted(pairs):
        if other not in shared:
            shared[other] = following
            following += 1
    for own, other in sorted(pairs):
        numbers.setdefault(own, shared[other])
    result = lesions.copy()
    for own, number in numbers.items():
        result[lesions == own] = number
    return result


def joined_through(tissues, joined_by):
    joined = dict(tissues)
    for _ in range(2):
        for name, others in joined_by.items():
            joined[name] = tissues[name]
            for other in others:
                joined[name] = renumbered(joined[name], touching(joined[name], tissues[other]))
    return joined


def _region(labels, steps, smallest):
    return {"labels": labels, "steps": steps, "smallest": smallest}


def _diagonal(shape):
    return sum(n**2 for n in shape) ** 0.5


TISSUES = {
    "brats2024-gli": {
        "regions": {
            "WT": _region((1, 2, 3), 3, 20),
            "TC": _region((1, 3), 3, 20),
            "NETC": _region((1,), 5, 20),
            "SNFH": _region((2,), 3, 20),
            "ET": _region((3,), 3, 10),
            "RC": _region((4,), 5, 20),
        },
        "joined_by": {
            "NETC": ("ET", "RC"),
            "ET": ("NETC", "RC"),
            "RC": ("ET", "NETC"),
            "SNFH": ("ET", "RC", "NETC"),
        },
        "penalty": lambda shape: 337,
    },
    "brats2024-met": {
        "regions": {
            "WT": _region((1, 2, 3), 1, 2),
            "TC": _region((1, 3), 1, 2),
            "ET": _region((3,), 1, 2),
            "RC": _region((4,), 1, 2),
            "NETC": _region((1,), 1, 2),
        },
        "joined_by": {"ET": ("NETC",)},
        "unscored": "NETC",
        "penalty": _diagonal,
    },
    "brats2024-ped": {
        "regions": {
            "WT": _region((1, 2, 3, 4), 5, 10),
            "TC": _region((1, 2, 3), 5, 10),
            "ET": _region((1,), 5, 10),
            "NETC": _region((2,), 5, 10),
            "CC": _region((3,), 5, 10),
            "ED": _region((4,), 5, 10),
        },
        "joined_by": {},
        "penalty": lambda shape: 374,
    },
    "brats2024-ssa": {
        "regions": {
            "WT": _region((1, 2, 3), 3, 50),
            "TC": _region((1, 3), 3, 50),
            "ET": _region((3,), 3, 50),
            "NETC": _region((1,), 3, 50),
        },
        "joined_by": {"ET": ("NETC",)},
        "unscored": "NETC",
        "penalty": lambda shape: 374,
    },
    "brats2024-men-rt": {"regions": {"GTV": _region((1,), 1, 50)}, "joined_by": {}, "penalty": _diagonal},
}


def tissue_scores(preset, reference, prediction, spacing, hd95):
    """The 2024 rules of a preset for label maps in the order of the file."""
    rules = TISSUES[preset]
    radiotherapy = preset == "brats2024-men-rt"
    speck = 1 / np.prod(spacing) if radiotherapy else 1
    found, predicted = {}, {}
    for name, region in rules["regions"].items():
        found[name] = joined_by_dilation(np.isin(reference, region["labels"]), region["steps"])
        lesions = joined_by_dilation(np.isin(prediction, region["labels"]), region["steps"])
        predicted[name] = without_specks(lesions, region["smallest"] * speck)
    found, predicted = (joined_through(side, rules["joined_by"]) for side in (found, predicted))
    return {
        name: scores(
            found[name],
            predicted[name],
            spacing,
            steps=region["steps"],
            smallest=region["smallest"],
            penalty=rules["penalty"](reference.shape),
            hd95=hd95,
            tolerances=(0.5, 1.0),
            invented_count=not radiotherapy,
        )
        for name, region in rules["regions"].items()
        if name != rules.get("unscored")
    }


REGIONS = {
    "brats2023-gli": (3, 50),
    "brats2023-ssa": (3, 50),
    "brats2023-ped": (3, 50),
    "brats2023-men": (1, 50),
    "brats2023-met": (1, 2),
}


def region_scores(preset, reference, prediction, spacing, hd95):
    """The 2023 rules of a preset for masks in the order of the file."""
    steps, smallest = REGIONS[preset]
    lesions = joined_by_dilation(reference, steps)
    predicted, _ = ndimage.label(prediction, TWENTY_SIX)
    return scores(lesions, predicted, spacing, steps=steps, smallest=smallest, penalty=374, hd95=hd95)

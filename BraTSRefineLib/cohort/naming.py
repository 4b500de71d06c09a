"""What file and case names say: the role of a file, the year of a naming, the person behind an examination."""

from __future__ import annotations

import re
from pathlib import Path

ENDINGS = (".nii.gz", ".nii", ".mha", ".nrrd")

ROLES = {
    **dict.fromkeys(("t1", "t1n", "t1w", "t1native"), "t1n"),
    **dict.fromkeys(("t1ce", "t1c", "t1gd", "t1cd", "t1wce", "t1post"), "t1c"),
    **dict.fromkeys(("t2", "t2w"), "t2w"),
    **dict.fromkeys(("flair", "t2f", "t2flair", "fla"), "t2f"),
    **dict.fromkeys(("seg", "segm", "tumor_segmentation"), "reference"),
}
"""The last part of a file's name, and the channel (or reference) that it stands for."""

PREDICTION_SUFFIX = re.compile(r"[-_.](pred|prediction|predicted|seg|segmentation|probabilities|probs|prob)$", re.I)
PROBABILITY_SUFFIX = re.compile(r"[-_.](probabilities|probs|prob)$", re.I)

VSD_FILE = re.compile(r"VSD\.Brain.*\.(?:MR_(T1c|T1|T2|Flair)|OT)\.\d+$", re.I)
"""BraTS 2013 to 2016: ``VSD.Brain.XX.O.MR_T1c.35539`` an image, ``VSD.Brain_3more.XX.O.OT.54517`` the reference."""

NAMINGS = (
    ("brats2013", re.compile(r"brats_(2013|tcia)_pat\d+|(brats_?)?[hl]g_?\d{4}$", re.I)),
    ("brats2024-gli", re.compile(r"BraTS-GLI-\d{5}-[1-9]\d\d|\d{6}-time\d+$", re.I)),
    ("brats2024-ped", re.compile(r"BraTS-PED-\d+", re.I)),
    ("brats2023", re.compile(r"BraTS-[A-Z]+-\d{5}-\d{3}", re.I)),
    ("brats2021", re.compile(r"(brats(17|18|19|20|2021)|fets(20\d\d)?)_", re.I)),
    ("core-rest", re.compile(r"YG_")),
)
"""Each BraTS naming of cases with the label convention that was used under it; the first that fits counts."""

PERSONS = (
    (re.compile(r"(?:BraTS2021|FeTS2022)_(\d{5})$"), r"BraTS-GLI-\1"),
    (re.compile(r"(BraTS-[A-Z]+-\d{5})-\d{3}$"), r"\1"),
    (re.compile(r"(\d{6})-time\d+$"), r"\1"),
    (re.compile(r"brats_2013_pat(\d{4})_\d+$"), r"brats_2013_pat\1"),
    (re.compile(r"Bra[tT][sS]1[789]_(\w+)_\d+$"), r"\1"),
)
"""Naming rules that give one person one name; BraTS 2021, FeTS 2022 and BraTS 2023 GLI number the same people."""

SAME_PERSON = {"brats_2013_pat0004": "2013_21"}
"""Pairs that no rule gives; the label maps of ``brats_2013_pat0004_1`` and ``Brats18_2013_21_1`` are one brain."""


def stem(path: Path) -> str:
    """The file's name without its volume ending (``.nii.gz`` counts as one), or without ``.npz``."""
    for ending in (*ENDINGS, ".npz"):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def is_volume(path: Path) -> bool:
    """Whether the name is that of an image file; hidden files (macOS leaves ``._x.nii.gz``) are none."""
    return path.name.lower().endswith(ENDINGS) and not path.name.startswith(".")


def split_role(name: str) -> tuple[str, str]:
    """``BraTS20_Training_001_t1ce`` -> (``BraTS20_Training_001``, ``t1c``); the role is empty where none is known."""
    if name.lower() in ROLES:
        return "", ROLES[name.lower()]
    if match := VSD_FILE.match(name):
        return "", ROLES[(match.group(1) or "seg").lower()]
    match = re.fullmatch(r"(.+?)_(tumor_segmentation)", name) or re.fullmatch(r"(.+)[-_.]([A-Za-z0-9]+)", name)
    role = ROLES.get(match.group(2).lower(), "") if match else ""
    return (match.group(1), role) if role else (name, "")


def channel_of(name: str) -> str:
    """The channel that a ``dataset.json`` calls ``T1Gd``, ``T2-FLAIR``, ``t1w_post`` ...; empty where unknown."""
    role = ROLES.get(re.sub(r"[^a-z0-9]", "", name.lower()), "")
    return "" if role == "reference" else role


def prediction_case(name: str) -> str:
    """The case that a prediction's file name speaks of: its stem without ``_pred``, ``-seg`` and the like."""
    return PREDICTION_SUFFIX.sub("", name)


def naming(case: str) -> str:
    """The label convention that this naming of cases was used with; empty where the name tells nothing."""
    return next((convention for convention, pattern in NAMINGS if pattern.match(case)), "")


def person_of(case: str) -> str:
    """One name for all examinations of a person, as far as the naming rules tell; else the case itself."""
    for pattern, person in PERSONS:
        if pattern.match(case):
            person = pattern.sub(person, case)
            return SAME_PERSON.get(person, person)
    return case

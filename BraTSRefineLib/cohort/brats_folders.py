"""BraTS folders of 2013 to 2025: one folder a case, with or without ``cases/``, ``HGG/`` and ``LGG/`` around them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from .draft import DataSet, Draft, subfolders, volumes
from .naming import split_role, stem

GRADES = ("hgg", "lgg")
OTHER_FOLDERS = ("predictions", "imagestr", "imagests", "labelstr", "labelsts")
EXAMINATION = re.compile(r"[-_](time|tp|ses|visit)[-_]?\d+", re.I)


def read_brats(folder: Path) -> DataSet | None:
    """The cases of a BraTS folder, without predictions; None where it is none."""
    data_set = DataSet(folder, "BraTS folders")
    candidates = _case_folders(folder)
    for case_folder in filter(_is_case, candidates):
        for draft in _drafts(case_folder):
            _take(data_set, draft, case_folder)
    for other in candidates:
        if data_set.drafts and not _is_case(other):
            data_set.note(f"{other.name}: no image or reference that is recognised; passed over", other)
    if not data_set.drafts:
        for draft in _by_prefix(folder.name, _parsed(folder)):
            _take(data_set, draft, folder)
    return data_set if data_set.drafts else None


def _case_folders(folder: Path) -> list[Path]:
    """The subfolders that may hold a case's files, also those one level down in ``HGG`` and ``LGG``."""
    base = folder / "cases" if (folder / "cases").is_dir() else folder
    found = []
    for sub in subfolders(base):
        if sub.name.lower() in GRADES:
            found += subfolders(sub)
        elif sub.name.lower() not in OTHER_FOLDERS:
            found.append(sub)
    return found


def _is_case(folder: Path) -> bool:
    return any(role for _, _, role in _parsed(folder))


def _parsed(folder: Path) -> list[tuple[Path, str, str]]:
    """File, prefix and role of every image file of a case folder; 2013 to 2016 have a subfolder a file."""
    files = volumes(folder)
    for sub in subfolders(folder):
        if sub.name.startswith("VSD."):
            files += volumes(sub)
    return [(path, *split_role(stem(path))) for path in files]


def _drafts(folder: Path) -> list[Draft]:
    """The examinations in one case folder: usually one, several where time points lie side by side."""
    parsed = _parsed(folder)
    own = [(path, prefix, role) for path, prefix, role in parsed if role and _owner(prefix, folder.name)]
    strange = [(path, prefix, role) for path, prefix, role in parsed if role and not prefix.startswith(folder.name)]
    strange = [entry for entry in strange if entry not in own]
    if not own and len({prefix for _, prefix, _ in strange}) > 1:
        return _by_prefix(folder.name, parsed)
    drafts: dict[str, Draft] = {}
    for path, prefix, role in own:
        name = _owner(prefix, folder.name)
        drafts.setdefault(name, Draft(name)).add_file(role, path)
    if strange and set(drafts) <= {folder.name}:
        _adopt(drafts.setdefault(folder.name, Draft(folder.name)), strange, bool(own))
    used = {path for draft in drafts.values() for path in (*draft.images.values(), draft.reference)}
    named = {problem.file for draft in drafts.values() for problem in draft.problems}
    _note_unused(drafts, [path for path, _, _ in parsed if path not in used | named])
    return list(drafts.values())


def _owner(prefix: str, folder: str) -> str:
    """The case that a file of this prefix belongs to; empty where it is none of this folder's."""
    if prefix in ("", folder):
        return folder
    rest = prefix.removeprefix(folder)
    return prefix if rest != prefix and EXAMINATION.fullmatch(rest) else ""


def _adopt(draft: Draft, strange: Iterable[tuple[Path, str, str]], say_so: bool) -> None:
    """Files named after something else (``W39_1998.09.19_Segm.nii`` of BraTS20_Training_355) fill empty roles."""
    for path, _, role in strange:
        free = draft.reference is None if role == "reference" else role not in draft.images
        draft.add_file(role, path)
        if free and say_so:
            draft.note(f"{path.name} is named after another case; taken as {role}", path)


def _note_unused(drafts: dict[str, Draft], unused: list[Path]) -> None:
    for path in unused:
        next(iter(drafts.values())).note(f"{path.name} is no known channel or reference and is left out", path)


def _by_prefix(folder: str, parsed: Iterable[tuple[Path, str, str]]) -> list[Draft]:
    """Many cases flat in one folder: files with the same prefix are one case."""
    drafts: dict[str, Draft] = {}
    for path, prefix, role in parsed:
        if role:
            name = prefix or folder
            drafts.setdefault(name, Draft(name)).add_file(role, path)
    return list(drafts.values())


def _take(data_set: DataSet, draft: Draft, folder: Path) -> None:
    if draft.case in data_set.drafts:
        message = f"a second folder of this name, {folder}, is left out; rename one of them"
        data_set.drafts[draft.case].error(message, folder)
    else:
        data_set.drafts[draft.case] = draft

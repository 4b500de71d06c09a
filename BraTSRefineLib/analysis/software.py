"""What made the numbers: packages with their versions, and the commit where the code runs from a checkout."""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("bratsrefine", "numpy", "scipy", "pandas", "statsmodels", "plotly", "SimpleITK")
WHERE_PRESENT = ("numba", "torch", "monai", "nnunetv2")
COMMIT = re.compile(r"[0-9a-f]{40,64}")
CHECKOUT = Path(__file__).resolve().parents[2]


def versions() -> str:
    """The packages that made the numbers, with their versions; ours with its commit."""
    found = {package: _version(package) for package in (*PACKAGES, *WHERE_PRESENT)}
    found = {package: text or "(from source)" for package, text in found.items() if text or package in PACKAGES}
    commit = commit_of(CHECKOUT)
    found[PACKAGES[0]] += f" (commit {commit[:12]})" if commit else ""
    named = [f"{package} {text}" for package, text in found.items()]
    return ", ".join([*named, f"Python {platform.python_version()}"])


def commit_of(checkout: Path) -> str:
    """The commit that a folder is a checkout of, from git's own files; empty where it is none.

    What was changed in the folder since is not seen.
    """
    try:
        git = _git_folder(checkout / ".git")
        head = _line(git / "HEAD")
        found = _of_reference(git, head.removeprefix("ref: ")) if head.startswith("ref: ") else head
    except (OSError, UnicodeDecodeError):
        return ""
    return found if COMMIT.fullmatch(found) else ""


def _git_folder(path: Path) -> Path:
    """A work tree and a submodule have a file there that names the folder."""
    if path.is_file():
        return path.parent / _line(path).removeprefix("gitdir: ")
    return path


def _of_reference(git: Path, name: str) -> str:
    """The commit of a branch, which a work tree shares with its repository; empty where there is no commit yet."""
    shared = git / _line(git / "commondir") if (git / "commondir").is_file() else git
    for folder in (git, shared):
        if (folder / name).is_file():
            return _line(folder / name)
    packed = shared / "packed-refs"
    lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
    return next((line.partition(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _line(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

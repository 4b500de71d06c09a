"""The report names the packages that made it and the commit that they ran from."""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version

import pytest

from BraTSRefineLib.analysis import software
from BraTSRefineLib.analysis.software import commit_of, versions

FIRST, SECOND = "1" * 40, "2" * 40


def a_checkout(folder, head="ref: refs/heads/main", **files):
    for name, text in {"HEAD": head, **files}.items():
        path = folder / ".git" / name.replace("__", "/").replace("packed_refs", "packed-refs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", encoding="utf-8")
    return folder


def test_versions_name_what_is_installed_and_the_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(software, "CHECKOUT", a_checkout(tmp_path, head=FIRST))
    named = versions().split(", ")
    assert named[0].startswith("bratsrefine ")
    assert named[0].endswith(" (commit 111111111111)")
    assert {f"{package} {version(package)}" for package in ("numpy", "scipy", "pandas")} <= set(named)
    monkeypatch.setattr(software, "WHERE_PRESENT", ("pytest", "no-such-package"))
    assert f"pytest {pytest.__version__}" in versions()
    assert "no-such-package" not in versions()


def test_a_branch_is_followed_to_its_commit(tmp_path):
    assert commit_of(a_checkout(tmp_path, refs__heads__main=FIRST)) == FIRST


def test_a_packed_branch_is_found(tmp_path):
    packed = f"# pack-refs with: peeled\n{SECOND} refs/heads/other/refs/heads/main2\n{FIRST} refs/heads/main\n^{SECOND}"
    assert commit_of(a_checkout(tmp_path, packed_refs=packed)) == FIRST


def test_a_loose_branch_is_newer_than_a_packed_one(tmp_path):
    packed = f"{FIRST} refs/heads/main"
    assert commit_of(a_checkout(tmp_path, packed_refs=packed, refs__heads__main=SECOND)) == SECOND


@pytest.mark.parametrize("head", ["ref: refs/heads/unborn", "what is this", ""])
def test_no_commit_is_made_up(tmp_path, head):
    assert commit_of(tmp_path) == ""
    assert commit_of(a_checkout(tmp_path, head=head)) == ""


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_says_the_same_of_a_checkout_and_of_a_work_tree(tmp_path):
    def git(*words: str, where=tmp_path / "one") -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@clinic.example")
        return subprocess.run(["git", *identity, *words], cwd=where, check=True, capture_output=True, text=True).stdout

    (tmp_path / "one").mkdir()
    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("worktree", "add", "-q", "../two")
    git("commit", "-q", "--allow-empty", "-m", "second")
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert commit_of(folder) == git("rev-parse", "HEAD", where=folder).strip()
    assert commit_of(tmp_path / "one") != commit_of(tmp_path / "two")

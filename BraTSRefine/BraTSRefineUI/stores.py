"""Where the decisions of a workspace are kept, if not in the workspace: what the settings say."""

from __future__ import annotations

import slicer

STORES = "BraTSRefine/reviewStores"
"""The setting that holds, a line a workspace, its folder and the URL of its store."""


def storeOf(workspace) -> str:
    """The URL under which the settings say that this workspace's decisions are kept; empty for the workspace itself."""
    return _stores().get(str(workspace), "")


def rememberStore(workspace, url: str) -> None:
    kept = {folder: known for folder, known in _stores().items() if folder != str(workspace)}
    if url:
        kept[str(workspace)] = url
    slicer.app.userSettings().setValue(STORES, "\n".join(f"{folder}\t{known}" for folder, known in kept.items()))


def _stores() -> dict[str, str]:
    lines = str(slicer.util.settingsValue(STORES, "")).split("\n")
    return dict(line.split("\t", 1) for line in lines if "\t" in line)

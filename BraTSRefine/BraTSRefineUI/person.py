"""Who sits here: the name in Slicer's user information, which the settings keep; never guessed from the account."""

from __future__ import annotations

import slicer


def name() -> str:
    """Empty where nobody gave one."""
    return (slicer.app.applicationLogic().GetUserInformation().GetName() or "").strip()


def setName(words: str) -> None:
    """Keep the name; the application writes it into its settings."""
    slicer.app.applicationLogic().GetUserInformation().SetName(words.strip())

"""Slicer's user information: read from the settings at the start, written there whenever somebody changes it."""

from PySide6.QtCore import QSettings

KEY = "UserInformation"
"""The key under which Slicer keeps it, too."""


def keepUserInformation(applicationLogic, settings: QSettings) -> None:
    """Fill the application's user information from the settings, and keep what it becomes."""
    person = applicationLogic.GetUserInformation()
    person.SetFromString(str(settings.value(KEY, "")))
    person.AddObserver("ModifiedEvent", lambda caller, event: settings.setValue(KEY, caller.GetAsString()))

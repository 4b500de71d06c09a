"""The backend and its packages, at the moment of use: where some are missing (Slicer) they are offered."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED = ("pandas", "pyarrow", "cc3d", "isal", "SimpleITK", "sqlalchemy", "alembic")


def findBackend() -> None:
    """Make BraTSRefineLib importable from Slicer's build tree, where it lies beside the module's folder."""
    if importlib.util.find_spec("BraTSRefineLib") is None:
        sys.path.append(str(REPOSITORY))


class MissingPackages(RuntimeError):
    """The backend's packages are not here and were not installed."""


def ensure(requirements: str) -> None:
    """Ask to install what the backend misses. Raises MissingPackages where it is still missing afterwards."""
    if missing():
        _offer(requirements)
    if missing():
        names = ", ".join(missing())
        raise MissingPackages(
            _("the Python packages {names} are missing; open again to install them").format(names=names)
        )


def _offer(requirements: str) -> None:
    if hasattr(slicer, "packaging"):
        wanted = slicer.packaging.load_requirements(requirements)
        slicer.packaging.pip_ensure(wanted, requester="BraTSRefine")
    elif slicer.util.confirmOkCancelDisplay(_question()):
        slicer.util.pip_install(f'-r "{requirements}"')
    importlib.invalidate_caches()


def missing() -> list[str]:
    """The needed packages that Python does not find."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def _question() -> str:
    packages = ", ".join(missing())
    return _("BraTSRefine needs the Python packages {packages}. Install them now?").format(packages=packages)

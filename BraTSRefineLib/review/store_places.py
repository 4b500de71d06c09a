"""Where a store lies: a file in a workspace, or a server; and whether that file is on a network share."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .flag_types import ReviewError

STORE_FILE, EXPORT_FILE = "review.sqlite", "review-export.jsonl"
NETWORK_TYPES = {
    "9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs",
    "nfs4", "ocfs2", "orangefs", "smb", "smb2", "smb3", "smbfs", "sshfs", "s3fs", "vboxsf", "webdav",
}  # fmt: skip
MOUNTS = Path("/proc/mounts")
REMOTE_DRIVE = 4
"""What Windows' GetDriveTypeW answers for a network drive."""


@dataclass(frozen=True)
class Place:
    """``path`` of the SQLite file, None for a server at ``url``. ``workspace``: where the last good export goes."""

    path: Path | None
    url: str
    workspace: Path | None

    @property
    def export(self) -> Path | None:
        return self.workspace / EXPORT_FILE if self.workspace else None


def place_of(url: str | Path, workspace: Path | str | None = None) -> Place:
    """What a text means: a workspace folder, a SQLite file (or ``sqlite:///`` URL), or ``postgresql://...``.

    Raises ReviewError for any other kind of database, and where the folder of the file is not there.
    """
    folder = Path(workspace).expanduser().resolve() if workspace is not None else None
    scheme, separator, rest = str(url).partition("://")
    if separator and scheme.split("+")[0] in ("postgresql", "postgres"):
        return Place(None, f"postgresql+psycopg://{rest}", folder)
    if separator and scheme != "sqlite":
        raise ReviewError(f"'{scheme}://' is no store; take a workspace, sqlite:///FILE or postgresql://USER@HOST/NAME")
    path = Path(rest.removeprefix("/") if separator else url).expanduser().resolve()
    path = path / STORE_FILE if path.is_dir() else path
    if not path.parent.is_dir():
        raise ReviewError(f"{path.parent}: no such folder; the workspace is made by the first command that writes it")
    return Place(path, f"sqlite:///{path}", folder or path.parent)


def network_type(path: Path) -> str:
    """The file system's name where ``path`` lies on a network share, else ''."""
    if os.name == "nt":
        return _windows_share(path)
    if MOUNTS.is_file():
        return network_mount(path, MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"))
    if sys.platform == "darwin":
        listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=True).stdout
        return network_mount(path, mac_mounts(listed))
    return ""


def network_mount(path: Path, mounts: str) -> str:
    """The same from a table of mounts as ``/proc/mounts`` has it; the deepest and last mount above ``path`` counts."""
    best, found = -1, ""
    for line in mounts.splitlines():
        _, mounted, kind, *_ = line.split(" ")
        point = Path(_unescaped(mounted))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), kind
    return found if found.removeprefix("fuse.") in NETWORK_TYPES else ""


def mac_mounts(listed: str) -> str:
    """What ``mount`` prints on macOS, ``SOURCE on POINT (TYPE, ...)``, as a table of mounts."""
    rows = []
    for line in listed.splitlines():
        source, _, rest = line.partition(" on ")
        point, _, options = rest.rpartition(" (")
        escaped = [text.replace(" ", "\\040") for text in (source, point)]
        rows.append(" ".join((*escaped, options.split(",")[0].rstrip(")"))))
    return "\n".join(rows)


def _unescaped(text: str) -> str:
    """Blank, tab, newline and backslash are written as octal numbers."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _windows_share(path: Path) -> str:
    import ctypes

    drive = path.drive
    remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == REMOTE_DRIVE
    return "network drive" if remote else ""

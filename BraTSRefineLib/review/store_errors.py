"""What went wrong with a database, in the reviewer's words."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..cohort.workspace import WorkspaceError
from .flag_types import ReviewError
from .store_places import Place
from .store_tls import WITHOUT_TLS

LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")
GONE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_PERM")
POSTGRESQL_LOCKED = ("55P03", "57014", "40P01")
"""Lock not available, statement timeout, deadlock."""

WANTS_TLS = re.compile(r"does not support SSL|SSL (?:was|is) required", re.IGNORECASE)


@contextmanager
def explained(place: Place, wait_s: float) -> Iterator[None]:
    """Turn the database's errors, and those of files beside it, into a ReviewError that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise ReviewError(explanation(error.orig, place, wait_s)) from error
    except sqlite3.Error as error:
        raise ReviewError(explanation(error, place, wait_s)) from error
    except WorkspaceError as error:
        raise ReviewError(str(error)) from error
    except SQLAlchemyError as error:
        raise ReviewError(f"{shown(place)}: {error}") from error


def explanation(error: BaseException, place: Place, wait_s: float) -> str:
    """One line from what the driver said."""
    where, said = shown(place), str(error).strip().split("\n")[0]
    code = getattr(error, "sqlite_errorname", "") or getattr(error, "sqlstate", "") or ""
    if code.startswith(LOCKED) or code in POSTGRESQL_LOCKED:
        return f"{where}: locked by another program for more than {wait_s:g} s; nothing was written, try again"
    if code.startswith(DAMAGED):
        return damaged(place, said)
    if code == "SQLITE_FULL":
        return f"{where}: nothing was written, the disk is full; free space and try again"
    if code.startswith(GONE):
        return f"{where}: the file cannot be opened or written ({said}); is the workspace still there and writable?"
    if place.path is None and not code and WANTS_TLS.search(said):
        return f"{where}: no encrypted connection to the server; nothing was written ({said}); {WITHOUT_TLS}"
    if place.path is None and not code:
        return unanswered(place, said)
    return f"{where}: {said}"


def unanswered(place: Place, what: str) -> str:
    """Of a server that is not there, or does not say anything."""
    return f"{shown(place)}: no connection to the server; nothing was written, try again ({what})"


def damaged(place: Place, what: str) -> str:
    """Names the last good export, from which the next opening begins once the damaged file is out of the way."""
    there = place.export is not None and place.export.is_file()
    advice = (
        f"move it away, and the next opening begins from the last good export, {place.export}"
        if there
        else "there is no export beside it; move it away to begin anew, or put a copy back"
    )
    return f"{shown(place)}: damaged or cut short ({what}); {advice}"


def shown(place: Place) -> str:
    """Where the store is, without a password."""
    if place.path is not None:
        return str(place.path)
    from sqlalchemy import make_url

    url = make_url(place.url).set(drivername="postgresql").difference_update_query(["password", "sslpassword"])
    return url.render_as_string(hide_password=True)

"""A person's way through the module, replayed: keys and clicks as they would come, a picture a step."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..host import Host
from .walker import Step, Walker


def replay(host: Host, person: str, folder: str | Path) -> list[Step]:
    """Walk as that person through the cohort that the host has open, with a picture a step in ``folder``.

    :raises HostError: where the person could not go on, with what was in the way.
    """
    walk: Callable[[Walker], None] = import_module(f"{__name__}.{person}").walk
    walker = Walker(host, folder, person)
    walk(walker)
    return walker.steps

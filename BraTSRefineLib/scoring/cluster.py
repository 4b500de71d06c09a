"""The work of a cohort on a Dask cluster, whose workers see the same files and have this package installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .conventions import ScoringError
from .workers import Outcome

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_SECONDS = 20


def cluster_outcomes(work: Callable, items: Sequence, scheduler: str) -> Iterator[Outcome]:
    """``work(item)`` for every item as they end; an exception is an item's outcome and stops nothing.

    ``scheduler`` is a Dask scheduler's address, as ``tcp://10.0.0.1:8786``. Where workers die, the items that they
    were given are tried once more, each alone. Raises ScoringError where no scheduler answers there, where it has no
    workers, or where it goes away before the end.
    """
    try:
        from distributed import KilledWorker
    except ImportError:
        raise ScoringError("a cluster needs dask: pip install 'bratsrefine[cluster]'") from None
    with _client(scheduler) as client:
        if not client.scheduler_info(n_workers=1)["workers"]:
            raise ScoringError(f"the Dask scheduler at {scheduler} has no workers; start some with 'dask worker'")
        bereft = []
        for index, outcome in _ended(client, work, dict(enumerate(items)), scheduler):
            if isinstance(outcome, KilledWorker):
                bereft.append(index)
            else:
                yield index, outcome
        for index in bereft:
            yield from _ended(client, work, {index: items[index]}, scheduler)


def _client(scheduler: str) -> Client:
    from distributed import Client
    from distributed.comm import get_address_host_port

    try:
        get_address_host_port(scheduler)  # a client that fails over its address takes long to go away
        return Client(scheduler, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ScoringError(f"no Dask scheduler answers at {scheduler} ({error}); start one, or leave it out") from None


def _ended(client: Client, work: Callable, items: Mapping[int, Any], scheduler: str) -> Iterator[Outcome]:
    from distributed import CancelledError, as_completed

    places = {client.submit(work, item, pure=False): index for index, item in items.items()}
    for future in as_completed(list(places), loop=client.loop):
        try:
            outcome = future.exception() or future.result()
        except CancelledError:
            raise ScoringError(f"the Dask scheduler at {scheduler} went away; start it and run this again") from None
        yield places.pop(future), outcome
        future.release()

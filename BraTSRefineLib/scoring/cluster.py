"""The work of a cohort on a Dask cluster, whose workers see the same files and have this package installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from .conventions import ScoringError
from .workers import Outcome

PATIENCE_SECONDS = 20


def cluster_outcomes(work: Callable, items: Sequence, scheduler: str) -> Iterator[Outcome]:
    """``work(item)`` for every item as they end; an exception is an item's outcome and stops nothing.

    ``scheduler`` is a Dask scheduler's address, as ``tcp://10.0.0.1:8786``. Raises ScoringError where none answers
    there, or where it has no workers.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise ScoringError("a cluster needs dask: pip install 'bratsrefine[cluster]'") from None
    try:
        client = Client(scheduler, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ScoringError(f"no Dask scheduler answers at {scheduler} ({error}); start one, or leave it out") from None
    with client:
        if not client.scheduler_info(n_workers=1)["workers"]:
            raise ScoringError(f"the Dask scheduler at {scheduler} has no workers; start some with 'dask worker'")
        places = {client.submit(work, item, pure=False): index for index, item in enumerate(items)}
        for future in as_completed(list(places)):
            yield places.pop(future), future.exception() or future.result()
            future.release()

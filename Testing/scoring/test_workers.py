import operator
import os
import time
from contextlib import suppress
from functools import partial

import psutil
import pytest

from BraTSRefineLib.scoring.workers import WorkerDied, default_workers, outcomes

DIE = partial(os._exit, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_is_the_outcome_of_its_item_alone(workers):
    results = dict(outcomes(operator.neg, [1, "two", 3], workers))
    assert (results[0], results[2]) == (-1, -3)
    assert isinstance(results[1], TypeError)


def test_an_item_that_kills_its_process_takes_no_other_along():
    items = [partial(abs, -1), DIE, *[partial(abs, -number) for number in range(2, 6)], DIE]
    results = dict(outcomes(operator.call, items, 2))
    assert {index for index, result in results.items() if isinstance(result, WorkerDied)} == {1, 6}
    assert [results[index] for index in (0, 2, 3, 4, 5)] == [1, 2, 3, 4, 5]


def test_a_process_that_ended_its_item_meanwhile_is_not_taken_for_dead():
    processes = set()
    for _, process in outcomes(operator.call, [os.getpid] * 12, 2):
        time.sleep(0.05)
        processes.add(process)
    assert len(processes) <= 2


def test_processes_that_die_idle_are_replaced():
    results = []
    for _, process in outcomes(operator.call, [os.getpid] * 3, 2):
        results.append(process)
        if len(results) == 1:
            kill_the_workers()
    assert len(results) == 3


def kill_the_workers():
    workers = [child for child in psutil.Process().children() if "spawn_main" in str(child.cmdline())]
    for worker in workers:
        with suppress(psutil.NoSuchProcess):  # the pool ends the others itself when one dies
            worker.kill()
    psutil.wait_procs(workers, timeout=10)


def test_a_dead_process_says_what_to_do():
    [(_, error)] = outcomes(operator.call, [DIE], 2)
    assert "use fewer workers" in str(error)


def test_no_item_gives_no_outcome():
    assert list(outcomes(abs, [], 2)) == []


def test_there_is_at_least_one_worker():
    assert default_workers() >= 1

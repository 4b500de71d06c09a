"""Long work as jobs: a JSON description, a worker process that does it, events that tell how far it is.

``python -m BraTSRefineLib.jobs RUN/job.json [--stop-when-stdin-closes]`` does a job. Standard output carries one
JSON object a line: ``started``, ``progress``, ``problem``, then ``finished``, ``failed`` or ``cancelled``; the run's
folder keeps them in ``events.jsonl`` and everything else that was printed in ``log.txt``. A SIGTERM, a SIGINT or, if
asked for, the end of standard input cancels it: worker and children are killed and nothing half made stays.

Importing this package costs nothing: what is heavy is imported by the worker.

>>> job_json = create(workspace, "fuse", {"method": "majority"})
>>> summary = run(job_json, on_event=print)
"""

from .client import run
from .description import KINDS, Job, JobCancelled, JobError, create, read
from .fused import with_runs
from .record import Run, events, runs, state

__all__ = [
    "KINDS",
    "Job",
    "JobCancelled",
    "JobError",
    "Run",
    "create",
    "events",
    "read",
    "run",
    "runs",
    "state",
    "with_runs",
]

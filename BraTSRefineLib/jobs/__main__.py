"""``python -m BraTSRefineLib.jobs RUN/job.json [--stop-when-stdin-closes]``: do the job, events on standard output."""

import sys

from .supervisor import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""A script in a process of its own, as another window or a program that is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run_apart(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """The script with this folder's modules and the repository on its path, run to its end."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])} | environment
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)

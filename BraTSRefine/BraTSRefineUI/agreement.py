"""How far readers agree, computed by the command line in a process of its own, in words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from html import escape

import qt
from slicer.i18n import tr as _

from .jobs import processEnvironment, pythonExecutable

PATIENCE_MS = 3000


class AgreementRun:
    """``bratsrefine decisions agreement --json``; ``onEnd`` hears its figures in words, or why there are none."""

    def __init__(self, onEnd: Callable[[str], None]) -> None:
        self._onEnd = onEnd
        self._process = None

    @property
    def isRunning(self) -> bool:
        return self._process is not None

    def start(self, workspace, store: str = "") -> None:
        """Start unless one is running."""
        if self.isRunning:
            return
        process = self._process = qt.QProcess()
        process.setProcessEnvironment(processEnvironment())
        process.finished.connect(self._onFinished)
        process.errorOccurred.connect(self._onError)
        arguments = ["-m", "BraTSRefineLib.cli", "decisions", "agreement", "--json", "--workspace", str(workspace)]
        process.start(pythonExecutable(), [*arguments, *(["--store", store] if store else [])])

    def stop(self) -> None:
        """End it and say nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._onFinished)
            process.errorOccurred.disconnect(self._onError)
            process.kill()
            process.waitForFinished(PATIENCE_MS)

    def _onFinished(self, exitCode=0, exitStatus=None) -> None:
        process, self._process = self._process, None
        told = bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")
        wrong = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip()
        self._onEnd(agreementWords(json.loads(told)) if exitCode == 0 else escape(wrong.split("\n")[-1]))

    def _onError(self, error=None) -> None:
        if self._process is not None and self._process.error() == qt.QProcess.FailedToStart:
            self._process = None
            self._onEnd(_("{program} does not start").format(program=pythonExecutable()))


def agreementWords(tables: Mapping[str, list[dict]]) -> str:
    """A line a pair of readers and kind of decision, then one a pair and region of corrections."""
    lines = [_pairWords(pair) for pair in tables.get("pairs", [])]
    lines += _correctionWords(tables.get("corrections", []))
    return "<br>".join(lines) or _("No two readers decided the same case or flag yet.")


def _pairWords(pair: Mapping[str, object]) -> str:
    names = f"<b>{escape(str(pair['reader_1']))}</b>, <b>{escape(str(pair['reader_2']))}</b>"
    words = _("{items} {of}, same decision in {agree:.0%}").format(**{k: pair[k] for k in ("items", "of", "agree")})
    if not _isNumber(pair.get("kappa")):
        return f"{names}: {words}; {escape(str(pair['status']))}"
    kappa = _("kappa {kappa:.2f} ({low:.2f} to {high:.2f})").format(**{k: pair[k] for k in ("kappa", "low", "high")})
    linear = pair.get("linear_kappa")
    weighted = _(", linearly weighted {value:.2f}").format(value=linear) if _isNumber(linear) else ""
    return f"{names}: {words}, {kappa}{weighted}"


def _correctionWords(rows: list[dict]) -> list[str]:
    """The mean Dice by pair and region."""
    groups: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        if _isNumber(row.get("dice")):
            pair = groups.setdefault((row["reader_1"], row["reader_2"]), {})
            pair.setdefault(row["region"], []).append(row["dice"])
    return [
        f"<b>{escape(one)}</b>, <b>{escape(other)}</b>: "
        + _("Dice between corrections ")
        + ", ".join(f"{region} {sum(v) / len(v):.2f} (n={len(v)})" for region, v in regions.items())
        for (one, other), regions in groups.items()
    ]


def _isNumber(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)

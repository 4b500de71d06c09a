"""The queue of a review: which case comes next, why, and how far along one is."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..cohort import Case, Cohort
from .flag_files import read_table
from .flag_types import ReviewError, highest
from .store_state import DECIDED, CaseState

ORDERS = ("priority", "random", "blind")
WORK_COLUMNS = [
    "place", "case", "center", "state", "priority", "why", "flags", "flags_decided", "flagged_ml", "predicted_dice",
    "decision", "who", "when",
]  # fmt: skip
BLIND_COLUMNS = ["place", "case", "state", "decision", "when"]
"""What a blind reader sees: nothing of what machines or others think."""


@dataclass(frozen=True)
class Wish:
    """Which cases are asked for: all, or those of some states, centres, and with something to see in a region."""

    order: str = "priority"
    states: Collection[str] = ()
    centers: Collection[str] = ()
    region: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Worklist:
    """``table``: ``WORK_COLUMNS`` (``BLIND_COLUMNS``), what comes first at the top. ``done`` of ``cases`` are decided,
    whatever was filtered out. ``gone``: cases with records that the cohort no longer has."""

    table: pd.DataFrame
    done: int
    cases: int
    gone: tuple[str, ...] = ()

    @property
    def progress(self) -> str:
        return f"{self.done} of {self.cases}"


def worklist(
    cohort: Cohort,
    states: Mapping[str, CaseState],
    flags: pd.DataFrame | None = None,
    quality: pd.DataFrame | None = None,
    wish: Wish | None = None,
    who: str = "",
) -> Worklist:
    """The cohort's cases in the order in which to review them.

    ``priority`` is the sum over a case's flags of volume (ml) times mean uncertainty (as a share of the highest that
    the quantity can take), of the models' disagreement or of one model's own flags, whichever is more: they are of the
    same places. Where there is no table of flags it is 1 minus the lowest predicted Dice of its regions. Cases without
    either come last. ``random`` is a shuffle that ``seed`` fixes; ``blind`` one of the reader's own, without
    what could sway a judgement: it needs ``who``, and ``states`` that are that reader's alone.
    Raises ReviewError for another order, or a blind one without a reader.
    """
    wish = wish or Wish()
    if wish.order not in ORDERS:
        raise ReviewError(f"no order '{wish.order}'; it is one of {', '.join(ORDERS)}")
    if wish.order == "blind" and not who:
        raise ReviewError("a blind order is a reader's own: name the reader")
    known = [states.get(case.case, CaseState(case.case)) for case in cohort.cases]
    table = pd.DataFrame([_row(case, state) for case, state in zip(cohort.cases, known, strict=True)])
    table = table.reindex(columns=WORK_COLUMNS)
    table = _with_quality(_with_flags(table, flags, states, wish.region), quality, wish.region, flags is None)
    table = _filtered(_sorted(table, wish, who), wish, flags, quality)
    table = table.assign(place=range(1, len(table) + 1)).reset_index(drop=True)
    here = {case.case for case in cohort.cases}
    gone = tuple(case for case in states if case not in here)
    done = sum(state.progress == DECIDED for state in known)
    return Worklist(table[BLIND_COLUMNS] if wish.order == "blind" else table, done, len(known), gone)


def read_quality(path: Path) -> pd.DataFrame:
    """``evaluation/quality.csv`` of a workspace. Raises ReviewError where it is not such a table."""
    return read_table(path, ("case", "region", "predicted"), "run 'bratsrefine uncertainty evaluate' again")


def _row(case: Case, state: CaseState) -> dict[str, object]:
    row = {"case": case.case, "center": case.center, "state": state.progress, "why": "", "priority": np.nan}
    decision = state.decision
    if decision is None:
        return row | {"decision": "", "who": "", "when": ""}
    return row | {"decision": decision.decision, "who": decision.who, "when": decision.row["when"]}


def _with_flags(
    table: pd.DataFrame, flags: pd.DataFrame | None, states: Mapping[str, CaseState], region: str
) -> pd.DataFrame:
    decided = [len(states[case].flags) if case in states else 0 for case in table["case"]]
    table = table.assign(flags_decided=decided)
    if flags is None:
        return table
    counted = flags[flags["region"] == region] if region else flags
    share = counted["mean"] / counted["quantity"].map({name: highest(name) for name in counted["quantity"].unique()})
    models = counted.get("model", "")
    summed = counted.assign(weight=counted["volume_ml"] * share, model=models).groupby(["case", "model"])
    by_source = pd.DataFrame(
        {"flags": summed.size(), "flagged_ml": summed["volume_ml"].sum(), "priority": summed["weight"].sum()}
    )
    by_case = by_source.reset_index().sort_values("priority", ascending=False, kind="stable").drop_duplicates("case")
    found = by_case.set_index("case").reindex(table["case"]).reset_index(drop=True)
    models, numbers = found["model"].fillna(""), found.drop(columns="model").astype(float).fillna(0)
    table = table.assign(**numbers.astype({"flags": int}))
    told = zip(table["flags"], table["flagged_ml"], models, strict=True)
    return table.assign(why=[_flags_in_words(*one) for one in told])


def _flags_in_words(count: int, flagged_ml: float, model: str) -> str:
    if not count:
        return "no flag"
    return f"{count} flags, {flagged_ml:.3g} ml" + (f" of {model}" if model else "")


def _with_quality(table: pd.DataFrame, quality: pd.DataFrame | None, region: str, ranks: bool) -> pd.DataFrame:
    """``ranks``: the predicted Dice is what the cases are ordered by."""
    if quality is None:
        return table
    known = quality.dropna(subset="predicted")
    known = known[known["region"] == region] if region else known
    worst = known.sort_values("predicted", kind="stable").drop_duplicates("case").set_index("case")
    found = worst.reindex(table["case"]).reset_index(drop=True)
    table = table.assign(predicted_dice=found["predicted"].to_numpy(float))
    if not ranks:
        return table
    told = zip(found["predicted"], found["region"], strict=True)
    why = [f"predicted Dice {dice:.2f} in {name}" if dice == dice else "" for dice, name in told]
    return table.assign(priority=1 - table["predicted_dice"], why=why)


def _sorted(table: pd.DataFrame, wish: Wish, who: str) -> pd.DataFrame:
    if wish.order == "priority":
        return table.sort_values("priority", ascending=False, kind="stable", na_position="last")
    reader = who if wish.order == "blind" else ""
    return table.sort_values("case", key=lambda cases: cases.map(lambda case: _drawn(wish.seed, reader, case)))


def _drawn(seed: int, reader: str, case: str) -> str:
    """By case and not by its place, so that the order stays when the cohort grows or shrinks."""
    return hashlib.sha256(f"{seed}\0{reader}\0{case}".encode()).hexdigest()


def _filtered(
    table: pd.DataFrame, wish: Wish, flags: pd.DataFrame | None, quality: pd.DataFrame | None
) -> pd.DataFrame:
    kept = pd.Series(True, index=table.index)
    if wish.states:
        kept &= table["state"].isin(list(wish.states))
    if wish.centers:
        kept &= table["center"].isin(list(wish.centers))
    if wish.region and flags is not None:
        kept &= table["flags"] > 0
    elif wish.region and quality is not None:
        kept &= table["predicted_dice"].notna()
    return table[kept]

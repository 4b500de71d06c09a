"""Uncertainty sampling (Settles 2009): the cases about which the members know least teach the most."""

from __future__ import annotations

import pandas as pd

COLUMNS = ["rank", "case", "center", "uncertainty", "reason"]


class SelectionError(ValueError):
    """A table or a number of cases from which nothing can be chosen; the message says why."""


def most_uncertain(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """The ``k`` cases of highest ``uncertainty``, at most one for each person: rank, case, center, uncertainty, reason.

    ``table`` has a row a case: ``case``, ``uncertainty`` and, where known, ``person`` and ``center``. Further
    examinations of a chosen person are passed over, since they teach little that is new. Ties go by the case's name.
    A case without a value is never chosen. Fewer rows come back where the pool is smaller than ``k``; the last
    reason says so. Raises SelectionError for ``k`` below 1, missing columns or nothing to choose from.
    """
    pool = _pool(table, k)
    chosen = pool.drop_duplicates("person").head(k).reset_index(drop=True)
    chosen["rank"] = chosen.index + 1
    chosen["reason"] = [_reason(row, pool) for row in chosen.itertuples()]
    if len(chosen) < k:
        chosen.loc[len(chosen) - 1, "reason"] += f"; the pool ends here: {len(chosen)} of the {k} cases asked for"
    return chosen[COLUMNS]


def _pool(table: pd.DataFrame, k: int) -> pd.DataFrame:
    """Cases with a value, the most uncertain first, each with the person it belongs to."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise SelectionError(f"cannot choose {k} cases; ask for at least 1")
    missing = {"case", "uncertainty"} - set(table.columns)
    if missing:
        raise SelectionError(f"the table of uncertainties has no column {', '.join(sorted(missing))}")
    pool = table.reindex(columns=[*table.columns, *({"person", "center"} - set(table.columns))])
    pool = pool.dropna(subset="uncertainty").copy()
    if pool.empty:
        raise SelectionError("no case has an uncertainty; run the uncertainty job on at least two models first")
    for column in ("center", "person"):
        pool[column] = pool[column].astype(object).fillna("")
    pool["person"] = pool["person"].where(pool["person"] != "", pool["case"])
    return pool.sort_values(["uncertainty", "case"], ascending=[False, True], kind="stable")


def _reason(row, pool: pd.DataFrame) -> str:
    higher = int((pool["uncertainty"] < row.uncertainty).sum())
    words = f"uncertainty {row.uncertainty:.3g}, higher than in {higher} of the {len(pool) - 1} other cases"
    passed = pool.loc[(pool["person"] == row.person) & (pool["case"] != row.case), "case"].tolist()
    return words + (f"; same person as {', '.join(passed)}, passed over" if passed else "")

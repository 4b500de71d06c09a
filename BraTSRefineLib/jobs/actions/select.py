"""Choose the next cases to annotate by the mean uncertainty of a region."""

from __future__ import annotations

import pandas as pd

from ...cohort import Cohort
from ...selection import most_uncertain
from ..context import Context
from ..description import JobError
from .results import write_table

PREFERRED = ("entropy", "disagreement")


def run(context: Context) -> dict[str, object]:
    """``selected.csv``: rank, case, center, uncertainty, reason.

    The uncertainty of a case is ``mean_in_tumour`` of ``uncertainty.csv``: the mean over the voxels that at least one
    member gives to the region. One quantity serves for all cases, since different ones cannot be compared: the
    entropy where every case of the table has it, else the disagreement.
    """
    cohort, region, k = context.cohort(), context.job.parameters["region"], context.job.parameters["k"]
    table = _table(context, region)
    quantity = _quantity(table)
    table = table[table["quantity"] == quantity]
    for row in table[table["mean_in_tumour"].isna()].itertuples():
        context.problem(row.case, f"{region}: {row.status}, so its uncertainty is not known; look at it by hand")
    chosen = most_uncertain(_pool(table, cohort), k)
    rows = chosen.itertuples()
    chosen["reason"] = [f"{quantity} of {region}: {row.reason}{_annotated(cohort, row.case)}" for row in rows]
    write_table(chosen, context.outputs / "selected.csv")
    return {"selected": chosen["case"].tolist(), "asked_for": k, "region": region, "quantity": quantity}


def _table(context: Context, region: str) -> pd.DataFrame:
    path = context.workspace.uncertainty_csv
    if not path.is_file():
        raise JobError(f"{path}: there is none yet; run the uncertainty job first")
    table = pd.read_csv(path, dtype={"case": str})
    table = table[table["region"] == region]
    if table.empty:
        raise JobError(f"{path}: has no uncertainty of {region}; choose another region")
    return table


def _quantity(table: pd.DataFrame) -> str:
    cases = table["case"].nunique()
    complete = [name for name in PREFERRED if table.loc[table["quantity"] == name, "case"].nunique() == cases]
    return complete[0] if complete else table["quantity"].value_counts().index[0]


def _pool(table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    known = pd.DataFrame(
        [(case.case, case.person, case.center) for case in cohort.cases], columns=["case", "person", "center"]
    )
    return known.merge(table.rename(columns={"mean_in_tumour": "uncertainty"})[["case", "uncertainty"]], on="case")


def _annotated(cohort: Cohort, case: str) -> str:
    return "; already has a reference" if cohort[case].reference else ""

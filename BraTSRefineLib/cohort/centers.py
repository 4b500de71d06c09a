"""Centres of the cases of one data set, from ``centers.csv`` or a FeTS partition table in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .naming import person_of
from .tables import attributes, read_rows


@dataclass(frozen=True)
class Membership:
    """Where a case comes from, the part of a split that it was put in, and what else the table says of it."""

    center: str
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def read_centers(folder: Path) -> dict[str, Membership]:
    """Case (or person) to centre; empty where the folder has no table. Raises CohortError for a damaged one."""
    if (folder / "centers.csv").is_file():
        return _from_centers_csv(folder / "centers.csv")
    for path in sorted(folder.glob("*partition*.csv")):
        return _from_partition(path)
    return {}


def member(memberships: dict[str, Membership], case: str) -> Membership:
    """The case's entry, or its person's: FeTS2022_00002 of a partition is BraTS2021_00002 and BraTS-GLI-00002-000."""
    return memberships.get(case) or memberships.get(person_of(case)) or Membership("")


def _from_centers_csv(path: Path) -> dict[str, Membership]:
    rows = read_rows(path, required=("case", "center"))
    return {row["case"]: Membership(row["center"], row.get("split", ""), attributes(row)) for row in rows}


def _from_partition(path: Path) -> dict[str, Membership]:
    """FeTS 2022: ``Partition_ID, Subject_ID``, one partition an institution."""
    rows = read_rows(path, required=("Partition_ID", "Subject_ID"))
    by_person = {person_of(row["Subject_ID"]): Membership(f"partition {row['Partition_ID']}") for row in rows}
    return by_person | {row["Subject_ID"]: Membership(f"partition {row['Partition_ID']}") for row in rows}

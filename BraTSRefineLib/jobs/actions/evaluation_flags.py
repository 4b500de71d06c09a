"""Flags against the reference: the plain way, cut at half of the maximum, and cut at a risk learnt on other cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ...cohort.volumes import Geometry
from ...regions import REGIONS
from ...review import (
    FlagWorth,
    ReviewError,
    RiskTable,
    Tally,
    find_flags,
    fit_risk,
    heaviest_disagreement,
    worth,
)
from ...review.flag_risk import coverage_precision
from .flag_budget import within_budget
from .flagging import Cut, Seen, risk_cut

PLAIN, HALF = "five heaviest disagreements", "half of the maximum, no rim"
CALIBRATED, NO_RIM, BUDGET = "calibrated", "calibrated, no rim", "at most {ml:g} ml a case"
WORTH_COLUMNS = ["case", "source", "region", "way", "coverage", "precision", "flagged_ml", "error_ml", "flags"]
WORTH_COLUMNS += ["rank_correlation"]


@dataclass
class FlagStudy:
    """Takes in the cases one after the other: first what is known of each, then, from the others, its flags' worth."""

    precision: float
    rows: list[dict[str, object]] = field(default_factory=list)
    tallies: dict[tuple[str, str], dict[str, Tally]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def learn(
        self, case: str, group: str, source: str, region: str, seen: Seen, wrong: np.ndarray, geometry: Geometry
    ) -> None:
        """The tally of a case, and the worth of the flags that need none."""
        level = REGIONS.index(region)
        self.groups[case] = group
        evidence = seen.evidence(level, geometry.array_spacing)
        self.tallies.setdefault((source, region), {})[case] = Tally.of(evidence, wrong)
        voxel_ml, names = geometry.voxel_ml, (case, source, region)
        if seen.masks:
            self._add(names, PLAIN, worth(heaviest_disagreement(seen.quantities["mean"][level]), wrong, voxel_ml))
        half = find_flags(seen.doubt(level), geometry, case=case, region=region, quantity=seen.quantity)
        self._add(names, HALF, worth(half.labels, wrong, voxel_ml))

    def judge(self, case: str, source: str, region: str, seen: Seen, wrong: np.ndarray, geometry: Geometry) -> Cut:
        """The worth of flags that are cut by a table of the other cases. Raises ReviewError where these are too few."""
        evidence = seen.evidence(REGIONS.index(region), geometry.array_spacing)
        table = fit_risk(self._others(source, region, case, evidence.kind), precision=self.precision)
        cut = risk_cut(case, region, seen, evidence, table)
        for way, keep_rim in ((CALIBRATED, True), (NO_RIM, False)):
            flagged = replace(cut, keep_rim=keep_rim).flags(geometry)
            self._add((case, source, region), way, worth(flagged.labels, wrong, geometry.voxel_ml))
        return cut

    def judge_budget(
        self, source: str, cuts: Sequence[Cut], wrong: Mapping[str, np.ndarray], budget_ml: float, geometry: Geometry
    ) -> None:
        """The worth of a case's flags in all regions together, when they may hold so many ml; ``wrong`` by region."""
        found = within_budget(budget_ml, lambda share: [cut.flags(geometry, share) for cut in cuts])
        for cut, flagged in zip(cuts, found, strict=True):
            names = (cut.case, source, cut.region)
            self._add(names, BUDGET.format(ml=budget_ml), worth(flagged.labels, wrong[cut.region], geometry.voxel_ml))

    def table(self, source: str, region: str) -> RiskTable | None:
        """The table of all cases with the commonest evidence; None for fewer than two."""
        tallies = self._commonest(source, region)
        return fit_risk(tallies, precision=self.precision) if len(tallies) >= 2 else None

    def curves(self) -> pd.DataFrame:
        """source, region, threshold, coverage, precision of voxels, on cases that the table did not see."""
        found = []
        for source, region in self.tallies:
            tallies = self._commonest(source, region)
            if len(tallies) >= 2:
                found.append(coverage_precision(tallies).assign(source=source, region=region))
        columns = ["source", "region", "threshold", "coverage", "precision"]
        return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)

    def worths(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows, columns=WORTH_COLUMNS)

    def _others(self, source: str, region: str, case: str, kind: str) -> list[Tally]:
        known = self.tallies[source, region].items()
        others = [tally for name, tally in known if self.groups[name] != self.groups[case] and tally.kind == kind]
        if len(others) < 2:
            raise ReviewError(
                f"{source}, {region}: flags are not calibrated; it takes two other cases with {kind} and a reference"
            )
        return others

    def _commonest(self, source: str, region: str) -> list[Tally]:
        tallies = list(self.tallies[source, region].values())
        kinds = pd.Series([tally.kind for tally in tallies])
        return [tally for tally in tallies if tally.kind == kinds.mode()[0]]

    def _add(self, names: tuple[str, str, str], way: str, found: FlagWorth) -> None:
        values = dict(zip(("case", "source", "region"), names, strict=True))
        self.rows.append(values | {"way": way} | {name: getattr(found, name) for name in WORTH_COLUMNS[4:]})


def worth_summary(worths: pd.DataFrame) -> pd.DataFrame:
    """By source, region and way: medians over the cases, and the pooled coverage and precision of all their volume."""
    rows = []
    names = ["source", "region", "way"]
    orders = {name: list(dict.fromkeys(worths[name])) for name in names}
    ordered = worths.sort_values(names, key=lambda column: column.map(orders[column.name].index), kind="stable")
    for (source, region, way), group in ordered.groupby(names, sort=False):
        held = (group["coverage"].fillna(0) * group["error_ml"]).sum()
        medians = group[["coverage", "precision", "flagged_ml", "flags", "rank_correlation"]].median()
        rows.append({"source": source, "region": region, "way": way, "cases": len(group)} | medians.to_dict())
        rows[-1] |= {"pooled_coverage": _ratio(held, group["error_ml"].sum())}
        rows[-1] |= {"pooled_precision": _ratio(held, group["flagged_ml"].sum())}
    columns = ["source", "region", "way", "cases", "coverage", "precision", "flagged_ml", "flags", "rank_correlation"]
    return pd.DataFrame(rows, columns=[*columns, "pooled_coverage", "pooled_precision"])


def kept_tables(study: FlagStudy, sources: Iterable[str], regions: Iterable[str]) -> dict[str, RiskTable]:
    """A table a region, of the first source whose flags found an error: by these the uncertainty job flags."""
    sources, tables = list(sources), {}
    for region in regions:
        found = (study.table(source, region) for source in sources if (source, region) in study.tallies)
        first = next((table for table in found if table is not None and table.precision > 0), None)
        if first is not None:
            tables[region] = first
    return tables


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan

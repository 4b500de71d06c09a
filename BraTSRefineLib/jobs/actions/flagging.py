"""From what the members say about a case to its flags: by the calibrated risk of error, else by the uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...cohort.volumes import Geometry
from ...regions import REGIONS
from ...review import ERROR_RISK, Doubt, Evidence, Flag, Flagged, RiskTable, find_flags, level_evidence, vote_evidence
from ...review.flag_types import highest


@dataclass(frozen=True)
class Seen:
    """What one sort of members says about a case: stacks ``(region, z, y, x)`` by quantity and the fused label's.

    ``masks`` holds each member's region stack by its name where the members are label maps; ``source`` names where
    the quantities come from, so that what was learnt from one source is not applied to another. ``anywhere``: where any
    member is set; None where the members are not known one by one.
    """

    quantity: str
    quantities: Mapping[str, np.ndarray]
    consensus: np.ndarray
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    source: str = ""
    anywhere: np.ndarray | None = None

    def doubt(self, level: int, uncertainty: np.ndarray | None = None) -> Doubt:
        """One region's maps; with another ``uncertainty`` in place of the quantity's."""
        maps = {name: stack[level] for name, stack in self.quantities.items()}
        chosen = maps[self.quantity] if uncertainty is None else uncertainty
        information = maps.get("mutual_information")
        return Doubt(chosen, self.consensus[level], maps.get("mean"), information, maps.get("entropy"))

    def evidence(self, level: int, spacing: tuple[float, ...]) -> Evidence:
        """What the calibrated table is asked with."""
        fused = self.consensus[level]
        if self.masks:
            return vote_evidence([stack[level] for stack in self.masks.values()], list(self.masks), fused, spacing)
        values, source = self.quantities[self.quantity][level], f"{self.quantity} of {self.source}"
        return level_evidence(values, fused, spacing, highest=highest(self.quantity), source=source)


def case_flags(
    case: str,
    geometry: Geometry,
    regions: Sequence[str],
    sorts: Sequence[Seen],
    threshold: float | None,
    risks: Mapping[str, RiskTable],
) -> list[Flag]:
    """The flags of every region, the best sort of members first.

    A ``threshold`` that somebody asked for is one of the uncertainty, so that it leaves the calibration aside.
    """
    flags = []
    for region in regions:
        level = REGIONS.index(region)
        found = None if threshold is not None else _by_risk(case, geometry, region, sorts, risks.get(region))
        if found is None:
            names = {"case": case, "region": region, "quantity": sorts[0].quantity}
            found = find_flags(sorts[0].doubt(level), geometry, **names, threshold=threshold)
        flags += found.flags
    return flags


def risk_flags(
    case: str,
    geometry: Geometry,
    region: str,
    seen: Seen,
    evidence: Evidence,
    table: RiskTable,
    keep_rim: bool = True,
) -> Flagged:
    """The flags of one region, cut at the table's threshold; their uncertainty is the probability of an error."""
    doubt = seen.doubt(REGIONS.index(region), table.risk(evidence))
    names = {"case": case, "region": region, "quantity": ERROR_RISK}
    return find_flags(doubt, geometry, **names, threshold=table.threshold, keep_rim=keep_rim)


def _by_risk(
    case: str, geometry: Geometry, region: str, sorts: Sequence[Seen], table: RiskTable | None
) -> Flagged | None:
    """None where no table of these members is kept."""
    if table is None:
        return None
    for seen in sorts:
        evidence = seen.evidence(REGIONS.index(region), geometry.array_spacing)
        if evidence.kind == table.kind:
            return risk_flags(case, geometry, region, seen, evidence, table)
    return None

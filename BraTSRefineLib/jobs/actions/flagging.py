"""From what the members say about a case to its flags: by the calibrated risk of error, else by the uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...cohort.volumes import Geometry
from ...regions import REGIONS
from ...review import ERROR_RISK, Doubt, Evidence, Flagged, RiskTable, find_flags, level_evidence, vote_evidence
from ...review.flag_types import highest
from .flag_budget import within_budget


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


@dataclass(frozen=True)
class Cut:
    """One region's map, from which flags are cut at ``threshold``, or at another one; None is the quantity's default.

    ``keep_rim``: the map is a calibrated risk, which names the rim only where it often errs.
    """

    case: str
    region: str
    doubt: Doubt
    quantity: str
    threshold: float | None = None
    keep_rim: bool = False

    def flags(self, geometry: Geometry, share: float | None = None) -> Flagged:
        """The flags of the region; with a ``share`` those above so much of the quantity's maximum."""
        threshold = self.threshold if share is None else share * highest(self.quantity)
        names = {"case": self.case, "region": self.region, "quantity": self.quantity}
        return find_flags(self.doubt, geometry, **names, threshold=threshold, keep_rim=self.keep_rim)


@dataclass(frozen=True)
class Asked:
    """Where flags are to be cut: at a ``threshold`` of the uncertainty, or so that a case's hold ``budget_ml`` at most.

    Without either they are cut where the calibration, or the quantity's default, says.
    """

    threshold: float | None = None
    budget_ml: float | None = None


def case_flags(
    case: str,
    geometry: Geometry,
    regions: Sequence[str],
    sorts: Sequence[Seen],
    asked: Asked,
    risks: Mapping[str, RiskTable],
) -> list[Flagged]:
    """The flags of each of the regions, the best sort of members first.

    A threshold that somebody asked for is one of the uncertainty, so that it leaves the calibration aside.
    """
    cuts = [_cut(case, geometry, region, sorts, asked, risks.get(region)) for region in regions]
    if asked.budget_ml is None:
        return [cut.flags(geometry) for cut in cuts]
    return within_budget(asked.budget_ml, lambda share: [cut.flags(geometry, share) for cut in cuts])


def risk_cut(case: str, region: str, seen: Seen, evidence: Evidence, table: RiskTable) -> Cut:
    """By the table's risk, cut at its threshold; the flags' uncertainty is the probability of an error."""
    doubt = seen.doubt(REGIONS.index(region), table.risk(evidence))
    return Cut(case, region, doubt, ERROR_RISK, table.threshold, keep_rim=True)


def _cut(
    case: str, geometry: Geometry, region: str, sorts: Sequence[Seen], asked: Asked, table: RiskTable | None
) -> Cut:
    level = REGIONS.index(region)
    if table is not None and asked.threshold is None:
        for seen in sorts:
            evidence = seen.evidence(level, geometry.array_spacing)
            if evidence.kind == table.kind:
                return risk_cut(case, region, seen, evidence, table)
    return Cut(case, region, sorts[0].doubt(level), sorts[0].quantity, asked.threshold)

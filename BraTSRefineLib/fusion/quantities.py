"""The uncertainty quantities by name: what each is, in one plain sentence, and its range."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Quantity:
    """One kind of map. ``low`` and ``high`` are its theoretical range, fixed so that cases are comparable."""

    name: str
    subject: str
    meaning: str
    low: float
    high: float
    unit: str = ""

    @property
    def what(self) -> str:
        """One sentence for a legend or a tool tip."""
        return f"{self.subject}: {self.meaning}; not a calibrated probability"

    def describe(self, members: int) -> str:
        """The same sentence with the number of members that the map was made from."""
        return f"{self.subject} of {members} {self._sources}: {self.meaning}; not a calibrated probability"

    @property
    def _sources(self) -> str:
        return "label maps" if self.name == "disagreement" else "probability maps"


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            "disagreement",
            "Disagreement",
            "f (1 - f), where f is the fraction of members that set the voxel; 0 where all agree, 0.25 at a tie",
            0.0,
            0.25,
        ),
        Quantity("mean", "Mean", "the members' average; above 0.5 the fused label is set", 0.0, 1.0),
        Quantity(
            "variance", "Variance", "how far the members' values spread; 0 where they agree, at most 0.25", 0.0, 0.25
        ),
        Quantity(
            "entropy",
            "Entropy of the mean",
            "how unsure the members are together; 0 where the mean is 0 or 1, ln 2 at one half",
            0.0,
            math.log(2),
            "nats",
        ),
        Quantity(
            "expected_entropy",
            "Expected entropy",
            "how unsure the members are one by one, on average; 0 where each is sure, ln 2 where all say one half",
            0.0,
            math.log(2),
            "nats",
        ),
        Quantity(
            "mutual_information",
            "Mutual information",
            "the part of the entropy that comes from members contradicting each other; 0 where they agree",
            0.0,
            math.log(2),
            "nats",
        ),
    )
}

"""Uncertainty maps against the reference, source by source: calibration, risk-coverage, QU-BraTS, temperature."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...scoring import expected_calibration_error, negative_log_likelihood
from ...scoring.map_worth import COVERAGES, MapWorth
from ...scoring.temperature import Temperature, fit_temperature, with_temperature

SCORES = ["dice", "qu_brats", "qu_brats_dice_auc", "qu_brats_ftp_auc", "qu_brats_ftn_auc", "aurc", "e_aurc"]
SCORES += ["error_share", "ece", "brier", "nll"]
CASE_COLUMNS = ["case", "source", "region", "domain", *SCORES]
IN_BRAIN, IN_BAND = "brain", "10 mm band"


@dataclass
class MapStudy:
    """Takes in the worth of one case's maps after the other."""

    found: dict[tuple[str, str], dict[str, MapWorth]] = field(default_factory=dict)
    rows: list[dict[str, object]] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    def add(self, case: str, group: str, source: str, region: str, worth: MapWorth, domain: str) -> None:
        self.groups[case] = group
        self.found.setdefault((source, region), {})[case] = worth
        self.rows.append({"case": case, "source": source, "region": region, "domain": domain} | worth.scores)

    def cases(self) -> pd.DataFrame:
        """``CASE_COLUMNS``, a row a case, source and region."""
        return pd.DataFrame(self.rows, columns=CASE_COLUMNS)

    def sources(self) -> pd.DataFrame:
        """By source and region: number of cases and the mean of each score."""
        groups = self.cases().groupby(["source", "region"], sort=False)
        means = groups[SCORES].mean()
        means.insert(0, "cases", groups.size())
        return means.reset_index()

    def reliability(self) -> pd.DataFrame:
        """The bins of all cases together, each case weighing the same; ``share`` of the voxels."""
        rows = []
        for (source, region), worths in self.found.items():
            weights = np.array([w.bins["count"] / w.bins["count"].sum() for w in worths.values()])
            parts = {
                name: np.array([w.bins[name].fillna(0) for w in worths.values()])
                for name in ("mean_probability", "observed")
            }
            share = weights.sum(axis=0)
            filled = np.where(share > 0, share, np.nan)
            table = next(iter(worths.values())).bins[["lower", "upper"]].assign(source=source, region=region)
            for name, values in parts.items():
                table[name] = (weights * values).sum(axis=0) / filled
            rows.append(table.assign(share=share / len(worths)))
        columns = ["source", "region", "lower", "upper", "mean_probability", "observed", "share"]
        return pd.concat(rows, ignore_index=True)[columns]

    def risk_coverage(self) -> pd.DataFrame:
        """The cases' mean curve: source, region, coverage, risk."""
        tables = [
            pd.DataFrame({"coverage": COVERAGES, "risk": np.mean([w.risks for w in worths.values()], axis=0)}).assign(
                source=source, region=region
            )
            for (source, region), worths in self.found.items()
        ]
        return pd.concat(tables, ignore_index=True)[["source", "region", "coverage", "risk"]]

    def temperatures(self) -> pd.DataFrame:
        """T of all cases by source and region; ECE and NLL before and after, each case scaled by a T of the others."""
        rows = []
        for (source, region), worths in self.found.items():
            fitted = _fit(list(worths.values()))
            before, after = self._held_out(worths)
            row = {"source": source, "region": region, "cases": len(worths), "temperature": fitted.value}
            row |= {"at_bound": fitted.at_bound, "ece_before": before[0], "ece_after": after[0]}
            rows.append(row | {"nll_before": before[1], "nll_after": after[1]})
        return pd.DataFrame(rows)

    def _held_out(self, worths: dict[str, MapWorth]) -> tuple[np.ndarray, np.ndarray]:
        """Means over the cases of (ECE, NLL) before and after; after is NaN where no other case could be fitted to."""
        before, after = [], []
        for case, worth in worths.items():
            others = [other for name, other in worths.items() if self.groups[name] != self.groups[case]]
            before.append(_errors(worth.probability, worth.outcome))
            if others:
                scaled = with_temperature(worth.probability, _fit(others).value)
                after.append(_errors(scaled, worth.outcome))
        return np.mean(before, axis=0), np.mean(after, axis=0) if after else np.full(2, np.nan)


def _fit(worths: list[MapWorth]) -> Temperature:
    """Every case weighs the same, however many voxels of it were kept."""
    weights = np.concatenate([np.full(len(w.outcome), 1 / len(w.outcome)) for w in worths])
    probability, outcome = (np.concatenate([getattr(w, name) for w in worths]) for name in ("probability", "outcome"))
    return fit_temperature(probability, outcome, weights)


def _errors(probability: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    return expected_calibration_error(probability, outcome), negative_log_likelihood(probability, outcome)

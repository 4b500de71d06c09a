"""Leave-one-centre-out: what a model loses on a centre that it has never seen.

What counts as held out:

- a *model* whose name ends in ``without``, ``no``, ``wo``, ``holdout``, ``heldout``, ``held-out``, ``leave-out`` or
  ``loco`` and the centre's name, as ``unet_without_north`` or ``unet-loco-north``: it was trained without that centre;
- a *centre* all of whose cases have a split of that form (``without_north``), or called ``held out``, ``unseen`` or
  ``external``: every model was trained without it.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..cohort import Cohort
from .bootstrap import mean_interval
from .consistency import check_one_convention, check_unique
from .metrics import check_metric, higher_is_better, magnitude, region_place
from .multiple import benjamini_hochberg
from .paired import signed_rank_p

HELD_OUT_COLUMNS = (
    "region",
    "family",
    "center",
    "model",
    "n",
    "mean_held_out",
    "mean_seen",
    "drop",
    "low",
    "high",
    "p",
    "q",
)
LEFT_OUT = r"(?:^|[-_. ])(?:without|no|wo|hold[-_ ]?out|held[-_ ]?out|leave[-_ ]?out|loco)[-_. ]*"
OUTSIDE = ("held out", "unseen", "external")


def held_out_model(model: str, centers: list[str]) -> tuple[str, str]:
    """Family and centre of a model that was trained without one: ``unet_without_north`` -> (``unet``, ``north``).

    ("", "") where the name says nothing of the kind.
    """
    for center in sorted(centers, key=len, reverse=True):
        match = re.fullmatch(rf"(?P<family>.*?){LEFT_OUT}{re.escape(center)}", model, re.I)
        if match:
            return match["family"], center
    return "", ""


def held_out_centers(cohort: Cohort) -> set[str]:
    """The centres whose cases' splits all say that no model has seen them."""
    splits: dict[str, set[str]] = {}
    for case in cohort.cases:
        splits.setdefault(case.center, set()).add(re.sub(r"[-_. ]+", " ", case.split.lower()))
    return {
        center
        for center, told in splits.items()
        if center and all(s in OUTSIDE or held_out_model(s, [re.sub(r"[-_. ]+", " ", center.lower())])[1] for s in told)
    }


def held_out_drop(scores: pd.DataFrame, cohort: Cohort, *, metric: str = "dice") -> pd.DataFrame:
    """What holding a centre out costs on its own cases: columns of ``HELD_OUT_COLUMNS``; empty without such models.

    For each model that was trained without a centre, that centre's cases: the model's mean of the metric, the mean of
    those of its family that have seen the centre (``unet`` itself and ``unet_without_<another>``, averaged case by
    case), and the mean paired difference ``drop`` (positive: worse without), with its bootstrap interval and Wilcoxon's
    signed-rank p; ``q`` adjusts over all rows. Raises AnalysisError for an unknown metric and for scores that may not
    be compared.
    """
    check_metric(scores, metric)
    sign = 1 if higher_is_better(metric) else -1
    rows = scores[(scores["metric"] == metric) & (scores["model"] != "") & np.isfinite(scores["value"])]
    check_unique(rows)
    check_one_convention(rows)
    rows = rows.assign(value=magnitude(rows["value"], metric))
    told = {model: held_out_model(model, cohort.centers) for model in rows["model"].unique()}
    center_of = {case.case: case.center for case in cohort.cases}
    found = []
    for model, (family, center) in sorted(told.items()):
        others = [other for other, (kin, left) in told.items() if other == family or (kin == family and left != center)]
        if not center or not others:
            continue
        here = rows[rows["case"].map(center_of) == center]
        for region in sorted(here["region"].unique(), key=region_place):
            pair = _paired(here[here["region"] == region], model, others)
            if len(pair):
                found.append((region, family, center, model, *_drop(pair, sign), np.nan))
    table = pd.DataFrame(found, columns=list(HELD_OUT_COLUMNS))
    return table.assign(q=benjamini_hochberg(table["p"]))


def _paired(rows: pd.DataFrame, model: str, others: list[str]) -> pd.DataFrame:
    """Columns held_out and seen, one row a case that both sides predicted."""
    held_out = rows[rows["model"] == model].set_index("case")["value"]
    seen = rows[rows["model"].isin(others)].groupby("case")["value"].mean()
    return pd.DataFrame({"held_out": held_out, "seen": seen}).dropna()


def _drop(pair: pd.DataFrame, sign: int) -> tuple[float, ...]:
    lost = sign * (pair["seen"] - pair["held_out"]).to_numpy()
    means = float(pair["held_out"].mean()), float(pair["seen"].mean())
    return len(pair), *means, float(lost.mean()), *mean_interval(lost), signed_rank_p(lost)

"""What the tests say of centres and models, in sentences; a difference not found is said to be no more than that."""

from __future__ import annotations

import pandas as pd

from .cells import count, p_value
from .centers import ALL_MODELS
from .contents import Contents
from .multiple import SIGNIFICANT
from .strata import FEW

MOST_NAMED = 3


def center_claims(contents: Contents) -> list[str]:
    """Which centres are worse at equal size, or how large a difference could have been overlooked."""
    table = contents.centers_tested.centers
    if table.empty:
        return []
    together = table[table["model"] == ALL_MODELS]
    rows = together if len(together) else table
    tested = rows[rows["adjusted_p"].notna()]
    if tested.empty:
        return ["The centres cannot be compared at equal tumour size: too few cases."]
    worse = tested[tested["flagged"].astype(bool)].sort_values("adjusted_q", kind="stable")
    if worse.empty:
        return [_nothing_found(tested)]
    named = [_worse(row) for row in worse.head(MOST_NAMED).itertuples()]
    more = len(worse) - MOST_NAMED
    return [*named, *([f"{more} more centres or regions are worse at equal size; see below."] if more > 0 else [])]


def _worse(row) -> str:
    return (
        f"{_center(row.center)} is {abs(row.adjusted_difference):.2f} Dice worse in {row.region} after adjusting for "
        f"size (95 % interval {abs(row.high):.2f} to {abs(row.low):.2f}, {_equals('p', row.adjusted_p)}, "
        f"{_equals('q', row.adjusted_q)} over all tests, {row.n} cases)."
    )


def _nothing_found(tested: pd.DataFrame) -> str:
    reach = ((tested["high"] - tested["low"]) / 2).max()
    return (
        f"No centre was found to be worse after adjusting for size ({count(len(tested), 'comparison')}, smallest q "
        f"{p_value(tested['adjusted_q'].min())}); that does not show that they are equal: the 95 % intervals reach "
        f"up to {reach:.2f} Dice to either side."
    )


def model_claims(contents: Contents) -> list[str]:
    """Weakest and strongest model, how sure their order is, and what the paired tests found."""
    models = contents.models_by_mean
    if len(models) < 2:
        return []
    best, weakest = models.iloc[0], models.iloc[-1]
    few = f" {contents.ranking.notes[0]}" if contents.ranking.notes else ""
    if best["value"] == weakest["value"]:
        return [f"The {len(models)} models have the same mean Dice ({best['value']:.2f}).{few}"]
    order = (
        f"{weakest['model']} is the weakest of {len(models)} models (mean Dice {weakest['value']:.2f} over all "
        f"regions), {best['model']} the strongest ({best['value']:.2f}); {_held(contents, best, weakest)}.{few}"
    )
    return [order, _paired(contents.against_best)]


def _held(contents: Contents, best: pd.Series, weakest: pd.Series) -> str:
    """How sure the order of the two is; a handful of cases drawn again says nothing of others."""
    cases, pairs = int(best["n"]), contents.ranking.pairs
    if cases < FEW:
        return f"{count(cases, 'case')} cannot say how sure their order is"
    mine = (pairs["better"] == best["model"]) & (pairs["worse"] == weakest["model"])
    share = float(pairs.loc[mine & (pairs["aggregation"] == best["aggregation"]), "holds"].iloc[0])
    return f"their order holds in {100 * share:.0f} % of the draws when the {cases} cases are drawn again"


def _paired(table: pd.DataFrame) -> str:
    """How many of the paired differences in Dice to the best model are significant after adjustment."""
    dice = table[(table["metric"] == "dice") & table["q"].notna()]
    best = table["a"].iloc[0]
    if dice.empty:
        return f"No paired test against {best} was possible."
    worse = dice[(dice["q"] < SIGNIFICANT) & (dice["mean_difference"] < 0)]
    better = dice[(dice["q"] < SIGNIFICANT) & (dice["mean_difference"] > 0)]
    if worse.empty and better.empty:
        return (
            f"Paired with {best}, no other model differs significantly in the Dice of any region "
            f"({count(len(dice), 'test')}, smallest q {p_value(dice['q'].min())}, at most "
            f"{count(int(dice['n'].max()), 'case')}); that does not show that they are equal."
        )
    parts = [f"worse in {_listed(worse)}"] if len(worse) else []
    parts += [f"better in {_listed(better)}"] if len(better) else []
    return (
        f"Paired with {best}, the others are significantly {' and '.join(parts)} (Wilcoxon, q < {SIGNIFICANT} over all "
        "tests against it)."
    )


def _listed(rows: pd.DataFrame) -> str:
    """``ET (fold_4 by 0.21, fold_3 by 0.10), WT (fold_1 by 0.05)``; of many the largest three a region."""
    said = []
    for region, group in rows.groupby("region", sort=False):
        ordered = group.assign(size=group["mean_difference"].abs()).sort_values("size", ascending=False, kind="stable")
        named = [f"{row.b} by {row.size:.2f}" for row in ordered.head(MOST_NAMED).itertuples(index=False)]
        more = [f"{len(ordered) - MOST_NAMED} more"] if len(ordered) > MOST_NAMED else []
        said.append(f"{region} ({', '.join([*named, *more])})")
    return ", ".join(said)


def _center(name: str) -> str:
    """``Centre C``; a name that says so itself stays as it is."""
    return name[0].upper() + name[1:] if name.lower().startswith(("cent", "site")) else f"Centre {name}"


def _equals(name: str, value: float) -> str:
    """``p = 0.012`` or ``p < 0.001``."""
    shown = p_value(value)
    return f"{name} {shown[0]} {shown[1:]}" if shown.startswith("<") else f"{name} = {shown}"

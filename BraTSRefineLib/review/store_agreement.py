"""How far readers agree: Cohen's kappa of their decisions, where they differ, and what a third made of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from .store_events import ADJUDICATION, DECISION, DECISIONS, FLAG_DECISION, Event, Item
from .store_state import differ, readings, standing

PAIR_COLUMNS = ["reader_1", "reader_2", "of", "items", "agree", "kappa", "low", "high", "linear_kappa", "status"]
DISAGREEMENT_COLUMNS = ["case", "model", "flag", "decisions", "adjudicated", "adjudicator", "note"]
OF = {DECISION: "cases", FLAG_DECISION: "flags"}
ORDINAL = DECISIONS[:-1]
"""Those with an order; 'bad image' has no place among them."""

ONE_DECISION = "both took the same decision throughout; kappa is not defined"


def reader_agreement(events: Iterable[Event]) -> pd.DataFrame:
    """A row a pair of readers and kind of decision that both took on the same items: ``PAIR_COLUMNS``.

    ``agree`` is the share of items with the same decision; ``kappa`` Cohen's (1960) over all decisions with its 95%
    interval (Fleiss, Cohen & Everitt 1969); ``linear_kappa`` the weighted one (Cohen 1968) over those that have an
    order. NaN where it is not defined.
    """
    counting, rows = standing(events), []
    for kind, of in OF.items():
        found = readings(counting, kind)
        readers = sorted({who for by in found.values() for who in by})
        for one, other in combinations(readers, 2):
            pairs = [(by[one].decision, by[other].decision) for by in found.values() if one in by and other in by]
            if pairs:
                rows.append({"reader_1": one, "reader_2": other, "of": of, **_agreement(pairs)})
    return pd.DataFrame(rows, columns=PAIR_COLUMNS)


def disagreements(events: Iterable[Event]) -> pd.DataFrame:
    """A row an item that its readers decided differently: ``DISAGREEMENT_COLUMNS``, open ones first.

    ``decisions`` maps reader to decision; ``adjudicated`` is a third's decision, empty while there is none.
    """
    counting = standing(events)
    judged = {event.item: event for event in counting if event.kind == ADJUDICATION}
    rows = [_disagreement(item, by, judged.get(item)) for item, by in readings(counting, *OF).items() if differ(by)]
    rows.sort(key=lambda row: (row["adjudicated"] != "", row["case"], row["model"], row["flag"]))
    return pd.DataFrame(rows, columns=DISAGREEMENT_COLUMNS)


def _disagreement(item: Item, by: dict[str, Event], judged: Event | None) -> dict[str, object]:
    row = dict(zip(("case", "model", "flag"), item, strict=True))
    row["decisions"] = {who: by[who].decision for who in sorted(by)}
    row["adjudicated"] = judged.decision if judged else ""
    return row | {"adjudicator": judged.who if judged else "", "note": judged.note if judged else ""}


def _agreement(pairs: list[tuple[str, str]]) -> dict[str, object]:
    row: dict[str, object] = {"items": len(pairs), "agree": sum(one == other for one, other in pairs) / len(pairs)}
    used = {decision for pair in pairs for decision in pair}
    if len(used) == 1:
        return row | dict.fromkeys(("kappa", "low", "high", "linear_kappa"), np.nan) | {"status": ONE_DECISION}
    from statsmodels.stats.inter_rater import cohens_kappa

    found = cohens_kappa(_counts(pairs, [decision for decision in DECISIONS if decision in used]))
    row |= {"kappa": found.kappa, "low": max(-1.0, found.kappa_low), "high": min(1.0, found.kappa_upp)}
    return row | {"linear_kappa": _linear(pairs), "status": "ok"}


def _linear(pairs: list[tuple[str, str]]) -> float:
    """Neighbouring decisions differ by one step, whichever of them were used."""
    ordered = [pair for pair in pairs if set(pair) <= set(ORDINAL)]
    if len({decision for pair in ordered for decision in pair}) < 2:
        return np.nan
    from statsmodels.stats.inter_rater import cohens_kappa

    return float(cohens_kappa(_counts(ordered, list(ORDINAL)), wt="linear", return_results=False))


def _counts(pairs: list[tuple[str, str]], decisions: list[str]) -> np.ndarray:
    counts = np.zeros((len(decisions), len(decisions)))
    for one, other in pairs:
        counts[decisions.index(one), decisions.index(other)] += 1
    return counts

"""Fit each region's weights on cases with a reference, judge them on held-out ones, and keep them in the workspace."""

from __future__ import annotations

import numpy as np

from ...cohort import safe_name, written_whole
from ...fusion import (
    FusionError,
    Judgement,
    Weights,
    best_combination,
    held_out_folds,
    judge,
    person_bootstrap,
    split_hash,
    uniform,
)
from ...fusion.judging import FEWEST_PERSONS
from ...fusion.weights import LABELS
from ...regions import REGIONS
from ..context import Context
from ..description import JobError
from .contested import Gathered, gather
from .members import chosen_models
from .weighting import FOLDER

OPTIMISTIC = "the models' predictions must not come from training on these cases, or the weights favour what overfits"


def run(context: Context) -> dict[str, object]:
    """``weights/<name>.json`` in the workspace; the summary has a row a region and the weights."""
    cohort, parameters = context.cohort(), context.job.parameters
    gathered = gather(context, cohort, chosen_models(context, cohort))
    folds = _folds(gathered, parameters)
    judged = {region: _judged(gathered, region, folds, parameters) for region in REGIONS}
    weights = _weights(gathered, folds, judged, parameters)
    name = f"{safe_name(parameters['save_as'] or parameters['method'])}.json"
    with written_whole(context.staged.root / FOLDER / name) as temporary:
        temporary.write_text(weights.to_json(), encoding="utf-8")
    return _summary(gathered, judged, weights, str(context.workspace.root / FOLDER / name))


def _folds(gathered: Gathered, parameters: dict) -> np.ndarray:
    """The fold of each case; all zero where there are too few patients to hold any out."""
    if len(set(gathered.persons)) < FEWEST_PERSONS:
        return np.zeros(len(gathered.cases), dtype=int)
    if parameters["by"] == "person":
        return held_out_folds(gathered.persons, parameters["folds"], parameters["seed"])
    first_center = {}
    for person, case in zip(gathered.persons, gathered.cases, strict=True):
        first_center.setdefault(person, case.center)
    try:
        return held_out_folds([first_center[person] for person in gathered.persons], None, parameters["seed"])
    except FusionError:
        raise JobError("fit_weights: the cases name no two centres to hold out in turn; use --by person") from None


def _judged(gathered: Gathered, region: str, folds: np.ndarray, parameters: dict) -> Judgement:
    cases, places = gathered.of(region)
    if not cases:
        plain = uniform(len(gathered.models))
        return Judgement(plain, False, "no labels here have this region: the plain mean", np.zeros(0), plain[None][:0])
    persons = [gathered.persons[place] for place in places]
    options = {"seed": parameters["seed"], "max_models": parameters["max_models"]}
    return judge(cases, persons, folds[places], parameters["method"], **options)


def _weights(gathered: Gathered, folds: np.ndarray, judged: dict[str, Judgement], parameters: dict) -> Weights:
    names = [case.case for case in gathered.cases]
    return Weights(
        tuple(gathered.models),
        {region: dict(zip(gathered.models, of.weights.tolist(), strict=True)) for region, of in judged.items()},
        parameters["method"],
        gathered.sources,
        tuple(names),
        split_hash(gathered.models, zip(names, gathered.persons, folds.tolist(), strict=True)),
        parameters["seed"],
        {region: {key: _plain(value) for key, value in _row(of).items()} for region, of in judged.items()},
    )


def _row(judgement: Judgement) -> dict[str, object]:
    return {
        "plain_mean": judgement.plain,
        "held_out": judgement.outer,
        "gain": judgement.gain,
        "low": judgement.low,
        "high": judgement.high,
        "standard_error": judgement.standard_error,
        "optimism": judgement.optimism,
        "used": "fitted" if judgement.accepted else "plain mean",
    }


def _plain(value: object) -> object:
    """NaN is no JSON."""
    return None if isinstance(value, float) and np.isnan(value) else value


def _summary(gathered: Gathered, judged: dict[str, Judgement], weights: Weights, path: str) -> dict[str, object]:
    members, dice = best_combination({region: gathered.of(region)[0] for region in REGIONS})
    by_labels = [model for model, source in gathered.sources.items() if source == LABELS]
    summary = {
        "weights_file": path,
        "method": weights.method,
        "members": gathered.models,
        "cases": len(gathered.cases),
        "patients": len(set(gathered.persons)),
        "left_out": gathered.left_out,
        "dice_on_held_out_cases": {region: _row(of) for region, of in judged.items()} | _overall(gathered, judged),
        "weights": {region: dict(weights.regions[region]) for region in REGIONS},
        "decision": {region: {"because": of.why} for region, of in judged.items()},
        "best_single_or_pair": {"models": " + ".join(gathered.models[member] for member in members), "dice": dice},
        "note": OPTIMISTIC,
    }
    return summary | ({"by_label_maps": by_labels} if by_labels else {})


def _overall(gathered: Gathered, judged: dict[str, Judgement]) -> dict[str, dict[str, float]]:
    """The gain over all regions: each case's mean over those that were judged. Nothing where none was."""
    gains = np.full((len(REGIONS), len(gathered.cases)), np.nan)
    for level, (region, of) in enumerate(judged.items()):
        if not np.isnan(of.gain):
            gains[level, gathered.of(region)[1]] = of.gains
    there = ~np.isnan(gains).all(axis=0)
    if not there.any():
        return {}
    persons = [person for person, known in zip(gathered.persons, there, strict=True) if known]
    gain, _, low, high = person_bootstrap(np.nanmean(gains[:, there], axis=0), persons)
    return {"overall": {"gain": gain, "low": low, "high": high}}

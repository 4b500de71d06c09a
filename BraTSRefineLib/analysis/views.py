"""What the reader may choose to look at in a plot of cases: the mean over the models, or one of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

MEAN = "mean over the models"


def views(rows: pd.DataFrame) -> list[str]:
    """The mean first, then each model by name; the model alone where there is one."""
    models = sorted(set(rows["model"]))
    return [MEAN, *models] if len(models) > 1 else models


def case_means(rows: pd.DataFrame, kept: Sequence[str] = ()) -> pd.DataFrame:
    """One row a case and region, ``value`` its mean over the models: a case counts once however many predicted it."""
    means = rows.groupby(["case", "region", *kept], sort=False, as_index=False)["value"].mean()
    return means.assign(model=MEAN)

"""From trained models and a case to probabilities, an ensemble and maps of its uncertainty.

What computes needs torch, which is loaded when the first such name is asked for.
"""

from importlib import import_module

from .case_images import read_case_images
from .model import CaseImages, Head, InferenceError, Model, Prepared, Window
from .models import found_models, open_models
from .prediction import CasePrediction

_COMPUTING = {
    "PredictSession": "predict",
    "predict_case": "predict",
    "predict_cases": "predict",
}

__all__ = [
    "CaseImages",
    "CasePrediction",
    "Head",
    "InferenceError",
    "Model",
    "PredictSession",
    "Prepared",
    "Window",
    "found_models",
    "open_models",
    "predict_case",
    "predict_cases",
    "read_case_images",
]


def __getattr__(name: str) -> object:
    if name not in _COMPUTING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_COMPUTING[name]}", __name__), name)

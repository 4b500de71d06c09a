"""From trained models and a case to probabilities, an ensemble and maps of its uncertainty."""

from .model import CaseImages, Head, InferenceError, Model, Prepared, Window

__all__ = ["CaseImages", "Head", "InferenceError", "Model", "Prepared", "Window"]

"""What an nnU-Net ``dataset.json`` says of a network's two ends: input channels and regions from its outputs."""

from __future__ import annotations

from collections.abc import Sequence

from ..cohort.case import CohortError
from ..regions import LabelConvention
from .model import Head, InferenceError
from .nnunet_folder import FoundConfiguration


def input_channels(found: FoundConfiguration, stated: Sequence[str] | None = None) -> tuple[str, ...]:
    """The channels of a case in the order in which the network takes them.

    ``stated`` names them by position where dataset.json does not. Raises InferenceError naming what is unknown, double
    or of the wrong number.
    """
    channels = tuple(stated) if stated is not None else found.channels
    where = found.labels.path
    if not found.channels:
        raise InferenceError(f"{where}: names no channels; write channel_names as nnU-Net wants them")
    if len(channels) != len(found.channels):
        raise InferenceError(f"{where}: {len(found.channels)} channels, {len(channels)} stated; state each by position")
    if unknown := [_written(found)[place] for place, channel in enumerate(channels) if not channel]:
        raise InferenceError(
            f"{where}: channel {', '.join(unknown)} is none of t1n, t1c, t2w, t2f; rename it there (T1, T1ce, T2, "
            "FLAIR ...) or state the channels by position"
        )
    if len(set(channels)) != len(channels):
        raise InferenceError(f"{where}: channels {', '.join(channels)} name one twice; state them by position")
    return channels


def head_of(found: FoundConfiguration, convention: LabelConvention | None = None) -> Head:
    """How the output channels become regions; ``convention`` replaces what the labels' names say.

    Raises InferenceError where the labels name no tumour regions and no convention is given, or do not fit it.
    """
    convention = convention or _named_convention(found)
    return _sigmoid_head(found, convention) if found.labels.region_based else _softmax_head(found, convention)


def _softmax_head(found: FoundConfiguration, convention: LabelConvention) -> Head:
    """One channel a label, background first; nnU-Net wants labels without a gap, so that a channel is its label."""
    labels = sorted({0}.union(*map(set, found.labels.labels.values())))
    if labels != list(range(len(labels))):
        raise InferenceError(f"{found.labels.path}: labels {labels} have a gap; nnU-Net trains none such, correct it")
    regions = convention.scored_regions
    if strange := sorted({label for parts in regions.values() for label in parts} - set(labels)):
        raise InferenceError(
            f"{found.labels.path}: label convention {convention.name} has label {strange[0]} that the network does not "
            f"know (it has {labels}); state another convention"
        )
    return Head("softmax", len(labels), dict(regions), convention)


def _sigmoid_head(found: FoundConfiguration, convention: LabelConvention) -> Head:
    """One channel a region in the order written, as nnU-Net's ``foreground_regions``."""
    written = [frozenset(labels) for labels in found.labels.labels.values() if set(labels) != {0}]
    scored = {region: frozenset(labels) for region, labels in convention.scored_regions.items()}
    regions = {region: (written.index(labels),) for region, labels in scored.items() if labels in written}
    if not regions:
        raise InferenceError(
            f"{found.labels.path}: none of its regions is one of {', '.join(scored)} in label convention "
            f"{convention.name}; state another convention"
        )
    order = tuple(found.stated.get("regions_class_order") or ())
    if len(order) != len(written):
        raise InferenceError(
            f"{found.labels.path}: regions_class_order names {len(order)} labels for {len(written)} regions; "
            "use the dataset.json that the model was trained with"
        )
    return Head("sigmoid", len(written), regions, convention, order)


def _named_convention(found: FoundConfiguration) -> LabelConvention:
    try:
        convention = found.labels.convention()
    except CohortError as error:
        raise InferenceError(f"{found.labels.path}: {error}") from None
    if convention is None:
        names = ", ".join(name for name, labels in found.labels.labels.items() if set(labels) != {0})
        raise InferenceError(
            f"{found.labels.path}: its labels ({names}) name no tumour regions; rename them there (NCR, ED, ET, or "
            "whole tumor, tumor core, enhancing tumor) or state the label convention"
        )
    return convention


def _written(found: FoundConfiguration) -> list[str]:
    """The channels' names as dataset.json has them."""
    names = found.stated.get("channel_names") or found.stated.get("modality") or {}
    return [str(names[key]) for key in sorted(names, key=int)]

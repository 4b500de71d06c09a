"""Which models go together: those of one group share preparation, window and head; all share the regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..regions import SCORED_REGIONS
from .augmentation import Augmentation, suitable
from .model import Head, InferenceError, Model, Window
from .tiles import Box


@dataclass(frozen=True)
class Group:
    """The models of one group and, model by model, the augmentations that they see a case through."""

    models: tuple[Model, ...]
    augmentations: tuple[tuple[Augmentation, ...], ...]

    @property
    def name(self) -> str:
        return self.models[0].group

    @property
    def head(self) -> Head:
        return self.models[0].head

    @property
    def window(self) -> Window:
        return self.models[0].window

    @property
    def previous(self) -> tuple[Model, ...]:
        return self.models[0].previous

    def exact(self) -> Group:
        """The same with the augmentations alone that the label comes from."""
        chosen = (tuple(one for one in seen if one.per_tile) for seen in self.augmentations)
        return replace(self, augmentations=tuple(chosen))

    def members(self) -> list[tuple[Model, Augmentation]]:
        pairs = zip(self.models, self.augmentations, strict=True)
        return [(model, augmentation) for model, chosen in pairs for augmentation in chosen]


def grouped(models: Sequence[Model], augmentations: Sequence[Augmentation]) -> list[Group]:
    """The models by group, in the order of first appearance.

    Raises InferenceError for no model, models of one group that differ, or a model that no augmentation suits.
    """
    if not models:
        raise InferenceError("no model was given; choose at least one")
    by_group: dict[str, list[Model]] = {}
    for model in models:
        by_group.setdefault(model.group, []).append(model)
    return [_group(members, augmentations) for members in by_group.values()]


def _group(models: list[Model], augmentations: Sequence[Augmentation]) -> Group:
    first = models[0]
    for model in models[1:]:
        if (model.head, model.window) != (first.head, first.window):
            raise InferenceError(
                f"{model.name} and {first.name} both belong to {first.group}, but differ in labels or patch; "
                "they come from different trainings: give them different groups"
            )
    group = Group(tuple(models), tuple(suitable(augmentations, model) for model in models))
    if not any(augmentation.per_tile for _, augmentation in group.members()):
        raise InferenceError(f"{first.group}: the label comes from unchanged or flipped images alone; add the identity")
    return group


def common_regions(models: Sequence[Model]) -> tuple[str, ...]:
    """The regions that every model knows and the first one's labels can express, from the outermost.

    Raises InferenceError where there is none.
    """
    known = set(models[0].head.convention.scored_regions)
    known = known.intersection(*(model.head.regions for model in models))
    regions = tuple(region for region in SCORED_REGIONS if region in known)
    if not regions:
        told = "; ".join(f"{model.name}: {', '.join(model.head.regions) or 'none'}" for model in models)
        raise InferenceError(f"the models have no region in common ({told}); predict with them one by one")
    return regions


def union_box(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them."""
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True))

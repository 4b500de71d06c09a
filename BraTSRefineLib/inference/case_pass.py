"""One case through every member of an ensemble: model after model, augmentation after augmentation, then its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from math import prod
from typing import Literal

import torch

from .adaptation import adapted
from .adaptation_settings import AdaptationReport, AdaptationSettings
from .augmentation import IDENTITY, Augmentation
from .engine import Engine
from .focus import found_box, looked_at, on_prepared_grid, single_window
from .group_work import GroupWork
from .groups import Group, union_box
from .heads import channel_probabilities, painted_regions, region_probabilities
from .model import InferenceError, Model, Prepared, Window
from .moments import MeanAlone, MemberMoments
from .progress import Passes
from .structure import StructureSamples
from .tiles import Box, sides_of, tile_count
from .votes import LabelVote, placed

Mode = Literal["exact", "fast-window", "fast-roi"]


class CasePass:
    """Runs the members; gathers the vote for the label and, where ``keep`` says which, the moments.

    ``prepared``: of each group; the box of all groups is the part of the case that is predicted. ``spacing``: mm along
    z, y, x of the case.
    """

    def __init__(
        self,
        case: str,
        groups: Sequence[Group],
        prepared: Sequence[Prepared],
        regions: Sequence[str],
        spacing: Sequence[float],
        engine: Engine,
        passes: Passes,
        mode: Mode = "exact",
        keep: type[MemberMoments] | type[MeanAlone] | None = None,
        adapt: AdaptationSettings | None = None,
    ) -> None:
        self.case, self.groups, self.regions = case, groups, tuple(regions)
        self.engine, self.passes, self.mode = engine, passes, mode
        self.adapt = adapt
        self.adaptations: dict[str, AdaptationReport] = {}
        self.prepared = list(prepared)
        pairs = zip(groups, prepared, strict=True)
        self.windows = [window_for(group, one.data.shape[1:], mode) for group, one in pairs]
        self.box = union_box(one.box for one in prepared)
        self.members: list[str] = []
        self.own_labels: dict[str, torch.Tensor] = {}
        self.focus: Box | None = None
        self.nothing_found = False
        self.moments = keep((len(self.regions), *sides_of(self.box)), engine.device) if keep else None
        self.structure = StructureSamples(self.regions, prod(spacing)) if keep is MemberMoments else None
        self.vote = LabelVote([group.head for group in groups], self.regions, self.box, engine.device)

    def run(self) -> None:
        """Raises InferenceError where a member cannot be computed; it names case, model and augmentation."""
        tiles = (tile_count(p.data.shape[1:], window) for p, window in zip(self.prepared, self.windows, strict=True))
        self.passes.expect(sum(count * len(group.members()) for count, group in zip(tiles, self.groups, strict=True)))
        for group, prepared, window in zip(self.groups, self.prepared, self.windows, strict=True):
            if not self.nothing_found:
                self._run_group(GroupWork.of(group, prepared, window, self.engine.device))

    def _run_group(self, work: GroupWork) -> None:
        if self.focus is not None and not self._narrow(work):
            return
        for model, augmentations in zip(work.group.models, work.group.augmentations, strict=True):
            if self.nothing_found:
                break
            self._run_model(work, model, augmentations)
        logits = work.on_box(work.mean_logits())
        self.vote.add(logits, work.group.head, work.prepared.box, self._on_all(work, work.seen_by_any()))

    def _run_model(self, work: GroupWork, model: Model, augmentations: Sequence[Augmentation]) -> None:
        with ExitStack() as stack:
            if self.adapt is not None:
                self.adaptations[model.name] = self._adapt(stack, model, work.prepared)
            self._run_members(work, model, augmentations)
        if self.moments is not None:
            self._keep_own_labels(model)
            self.moments.end_model()

    def _keep_own_labels(self, model: Model) -> None:
        """What the model alone would say, where it is one of several: where its mean probability is above 0.5."""
        if sum(len(group.models) for group in self.groups) > 1:
            convention = self.groups[0].head.convention
            self.own_labels[model.name] = painted_regions(self.moments.model_mean, self.regions, convention)

    def _adapt(self, stack: ExitStack, model: Model, prepared: Prepared) -> AdaptationReport:
        """The model is adapted to the case until the stack ends."""
        self.passes.words = f"{model.name}, adapting"
        check = self.engine.pace.check
        try:
            return stack.enter_context(adapted(model, prepared, self.adapt, self.engine.device, check=check))
        except InferenceError as error:
            raise InferenceError(f"{self.case}, {error}") from error

    def _run_members(self, work: GroupWork, model: Model, augmentations: Sequence[Augmentation]) -> None:
        with torch.inference_mode(False):  # weights made within it could never be trained or adapted again
            network = model.network(self.engine.device)
        for augmentation in self._coarse_first(augmentations):
            self.passes.words = f"{model.name}, {augmentation.name}"
            self.members.append(self.passes.words)
            logits = self._logits(work, model, network, augmentation)
            if augmentation.per_tile:
                work.add(logits)
            if self.moments is not None or self._is_coarse:
                self._take_in(work, logits, augmentation)
            if self.nothing_found:
                break

    def _logits(
        self, work: GroupWork, model: Model, network: torch.nn.Module, augmentation: Augmentation
    ) -> torch.Tensor:
        tiles = work.tiles_for(augmentation)
        try:
            logits = self.engine.logits(network, model.head.channels, tiles, augmentation, work.prepared)
        except InferenceError as error:
            raise InferenceError(f"{self.case}, {model.name}, {augmentation.name}: {error}") from error
        if not torch.isfinite(logits.sum()):
            raise InferenceError(
                f"{self.case}, {model.name}, {augmentation.name}: the network gives values that are not finite; "
                "try precision fp32, and look at the weights and the images"
            )
        return logits

    def _take_in(self, work: GroupWork, logits: torch.Tensor, augmentation: Augmentation) -> None:
        """A member's logits into the moments, by way of its region probabilities on the case's grid."""
        probability = placed(self._probability(work, logits, augmentation), work.prepared.box, self.box)
        covered = self._on_all(work, work.seen_by(augmentation))
        if self._is_coarse:
            self._look_where_found(work, probability)
        if self.structure is not None:
            self.structure.add(probability > 0.5, covered)
        if self.moments is not None:
            self.moments.add(probability, covered, augmentation.weight)

    def _on_all(self, work: GroupWork, seen: torch.Tensor | None) -> torch.Tensor | None:
        """``(z, y, x)`` of the group's box on the box of all groups; None stays everywhere."""
        return None if seen is None else placed(seen[None], work.prepared.box, self.box)[0]

    def _probability(self, work: GroupWork, logits: torch.Tensor, augmentation: Augmentation) -> torch.Tensor:
        """``(region, z, y, x)`` on the group's box; what interpolates is undone on probabilities, never on logits."""
        head = work.group.head
        if augmentation.per_tile:
            logits = work.on_box(work.on_whole(logits))
            return region_probabilities(channel_probabilities(logits, head), head, self.regions)
        values = work.on_whole(region_probabilities(channel_probabilities(logits, head), head, self.regions))
        return work.on_box(augmentation.invert(values, work.prepared)).clamp(0, 1)

    @property
    def _is_coarse(self) -> bool:
        """The member just computed is the one that the others' focus comes from."""
        return self.mode == "fast-roi" and len(self.members) == 1

    def _coarse_first(self, augmentations: Sequence[Augmentation]) -> Sequence[Augmentation]:
        if self.mode != "fast-roi" or self.members:
            return augmentations
        if IDENTITY not in augmentations:
            raise InferenceError("mode fast-roi looks at the unchanged case first; add the identity")
        return sorted(augmentations, key=lambda augmentation: augmentation != IDENTITY)

    def _look_where_found(self, work: GroupWork, probability: torch.Tensor) -> None:
        """From the coarse member on, all others look at the surroundings of what it found, if anything."""
        found = found_box(probability)
        if found is None:
            self.nothing_found = True
            self.passes.remain(0)
            return
        self.focus = tuple(
            slice(part.start + whole.start, part.stop + whole.start)
            for part, whole in zip(found, self.box, strict=True)
        )
        self.passes.remain(self._remaining())
        self._narrow(work)

    def _remaining(self) -> int:
        """Forward passes of every member but the coarse one."""
        every = sum(self._tiles_of_crop(n) * len(group.members()) for n, group in enumerate(self.groups))
        return every - self._tiles_of_crop(0)

    def _tiles_of_crop(self, number: int) -> int:
        crop = self._crop(self.prepared[number], self.windows[number])
        return tile_count(sides_of(crop), self.windows[number]) if crop else 0

    def _crop(self, prepared: Prepared, window: Window) -> Box | None:
        box = on_prepared_grid(self.focus, prepared)
        return looked_at(box, prepared.spacing, prepared.data.shape[1:], window.patch) if box else None

    def _narrow(self, work: GroupWork) -> bool:
        """False where the group's part of the case does not touch the focus."""
        crop = self._crop(work.prepared, work.tiles.window)
        if crop is not None:
            work.narrow(crop)
        return crop is not None


def window_for(group: Group, size: Sequence[int], mode: Mode) -> Window:
    """The window over prepared data of ``size`` voxels. Raises InferenceError as ``single_window``."""
    return single_window(size, group.window) if mode == "fast-window" else group.window

"""A network adapted to one case without labels, for the length of a ``with`` block.

Entropy minimisation on the normalisation layers (TENT: Wang et al., ICLR 2021), with a distance to the unadapted
network on the statistical manifold (after Ravishankar et al., TMI 2025; the specification is ours), the step chosen by
uncertainty (after Chun et al., Med Phys 2026), behind a gate on the network's agreement with itself (after Zhou et al.,
MICCAI 2025). Running statistics of batch normalisation stay those of training: only scale and shift change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from .adaptation_choice import Candidate, Change, candidate, change, surest, tripped, uncertainties
from .adaptation_descent import Descent
from .adaptation_layers import affine_parameters, lent, put
from .adaptation_passes import Passes, quality
from .adaptation_settings import REVERTED, AdaptationReport, AdaptationSettings, EarlierScan, End
from .adaptation_tiles import Tile, labelled_tiles, regions_found, tiles_of
from .model import InferenceError, Model, Prepared


@contextmanager
def adapted(
    model: Model,
    prepared: Prepared,
    settings: AdaptationSettings,
    device: torch.device,
    earlier: EarlierScan | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[AdaptationReport]:
    """Inside, ``model.network(device)`` is adapted to ``prepared``; afterwards its weights are as before, bit by bit.

    The network is changed in place, so make copies, graphs or half precision of it inside. With ``earlier``, the steps
    fit that scan's labels instead of minimising the entropy; guards and choice look at ``prepared`` all the same, so
    a scan that is to teach much wants a lower ``agreement``. ``check`` is called before each forward pass of the
    adaptation and may raise to stop it.

    Raises InferenceError where the network has no normalisation layer to adapt, its output is not finite, or the
    device's memory is too small for gradients.

    >>> with adapted(model, prepared, METHODS["tent"], device) as report:
    ...     logits = predict(model, prepared, device)
    >>> report.what
    """
    network = _with_gradients(model, device)
    parameters = affine_parameters(network, model.name)
    with lent(network, parameters):
        hook = network.register_forward_pre_hook(lambda *_: check())
        try:
            report = _Episode(model, network, parameters, prepared, settings, device, earlier).run()
        except torch.OutOfMemoryError as error:
            raise InferenceError(
                f"{model.name}: not enough memory on {device} for gradients of one tile; predict without adaptation"
            ) from error
        finally:
            hook.remove()
        for parameter in parameters:
            parameter.grad = None
        yield report


def _with_gradients(model: Model, device: torch.device) -> nn.Module:
    """The network; loaded again where it was loaded in inference mode, which leaves weights without gradients."""
    with torch.inference_mode(False):
        network = model.network(device)
        if any(parameter.is_inference() for parameter in network.parameters()):
            model.release()
            network = model.network(device)
    return network


@dataclass
class _Episode:
    """One case's adaptation, from the unadapted prediction to the chosen weights."""

    model: Model
    network: nn.Module
    parameters: list[nn.Parameter]
    prepared: Prepared
    settings: AdaptationSettings
    device: torch.device
    earlier: EarlierScan | None
    whole: list[torch.Tensor] = field(init=False)
    """The regions of every tile before the adaptation, as ``regions_found`` gives them."""

    tiles: list[Tile] = field(init=False)
    passes: Passes = field(init=False)

    def run(self) -> AdaptationReport:
        """Adapt in place; the weights of the chosen step, or the unadapted ones, are in the network afterwards."""
        with torch.inference_mode(False), torch.enable_grad(), torch.autocast(self.device.type, enabled=False):
            self.whole = self._regions_found()
            if not any(masks.any() for masks in self.whole):
                return AdaptationReport("empty")
            self.tiles = tiles_of(
                self.network, self.prepared, self.model, self.whole, self.settings.voxels, self.device
            )
            self.passes = Passes.of(self.network, self.model, self.settings.passes, self.settings.seed)
            return self._gated()

    def _regions_found(self) -> list[torch.Tensor]:
        return regions_found(self.network, self.prepared, self.model, self.device)

    def _gated(self) -> AdaptationReport:
        score = quality(self.network, self.passes, self.tiles)
        source = self._candidate(0)
        report = AdaptationReport("steps", quality=score, entropy_before=source.entropy, entropy_after=source.entropy)
        limits = self.settings.quality
        if limits is not None and (score is None or not limits[0] < score < limits[1]):
            return replace(report, ended="quality")
        if source.entropy < self.settings.least_entropy:
            return replace(report, ended="confident")
        return self._adapted(report, source)

    def _adapted(self, report: AdaptationReport, source: Candidate) -> AdaptationReport:
        candidates = [source]
        ended, steps = self._descend(candidates)
        report = replace(report, ended=ended, steps=steps)
        if ended in REVERTED:
            put(self.parameters, source.values)
            return _with(report, self._change(source, candidates[-1]))
        values = uncertainties(candidates, self.prepared.spacing)
        chosen = candidates[surest(values) if self.settings.keep == "surest" else -1]
        named = tuple((one.step, value) for one, value in zip(candidates, values, strict=True))
        return self._checked(replace(report, uncertainties=named), source, chosen)

    def _descend(self, candidates: list[Candidate]) -> tuple[End, int]:
        """Walk until an end is reached, adding to the candidates; why it ended, and after how many steps."""
        step, ended = 0, None
        for step in self._descent().steps():
            if step % self.settings.every == 0:
                candidates.append(self._candidate(step))
                ended = self._end(candidates)
            if ended:
                return ended, step
        if step > candidates[-1].step:
            candidates.append(self._candidate(step))
        return self._end(candidates) or ("steps" if step == self.settings.steps else "converged"), step

    def _descent(self) -> Descent:
        tiles = self.tiles
        if self.earlier is not None:
            tiles = labelled_tiles(self.network, self.earlier, self.model, self.settings.voxels, self.device)
        return Descent(self.network, self.model.head, self.parameters, tiles, self.settings)

    def _candidate(self, step: int) -> Candidate:
        passes = self.passes if self.settings.keep == "surest" else Passes.plain(self.model)
        return candidate(step, self.network, self.parameters, self.tiles, passes)

    def _end(self, candidates: list[Candidate]) -> End | None:
        """A tripped guard, or no new lowest uncertainty for long enough."""
        guard = tripped(self.settings, self._change(candidates[0], candidates[-1]))
        if guard or self.settings.keep == "last":
            return guard
        values = uncertainties(candidates, self.prepared.spacing)
        return "patience" if len(values) - 1 - values.index(min(values)) >= self.settings.patience else None

    def _change(self, source: Candidate, other: Candidate) -> Change:
        return change(source.regions, other.regions, (source.entropy, other.entropy), self.prepared.spacing)

    def _checked(self, report: AdaptationReport, source: Candidate, chosen: Candidate) -> AdaptationReport:
        """The chosen network once more, on every tile of the case: elsewhere it may have found a tumour of its own."""
        put(self.parameters, chosen.values)
        whole = self.whole if chosen is source else self._regions_found()
        found = change(self.whole, whole, (source.entropy, chosen.entropy), self.prepared.spacing)
        report, guard = _with(report, found), tripped(self.settings, found)
        if guard:
            put(self.parameters, source.values)
            return replace(report, ended=guard)
        return replace(report, chosen_step=chosen.step, entropy_after=chosen.entropy)


def _with(report: AdaptationReport, found: Change) -> AdaptationReport:
    return replace(report, volume_ratio=found.volume_ratio, agreement=found.agreement)

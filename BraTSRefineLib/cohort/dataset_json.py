"""nnU-Net's and the Decathlon's ``dataset.json``: channels, label convention, order of probability channels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..regions import CONVENTIONS, REGIONS, LabelConvention, LabelError, label_convention
from .case import CohortError
from .naming import channel_of

REGION_WORDS = {
    "WT": re.compile(r"\bwt\b|whole"),
    "TC": re.compile(r"\btc\b|tumou?r core|^core$"),
    "ET": re.compile(r"\bet\b|^enhancing|^gd enhancing|^active"),
}
TISSUE_WORDS = (
    ("RC", re.compile(r"\brc\b|cavity")),
    ("NCR", re.compile(r"\b(ncr|net|netc|nec)\b|non ?enhanc|necro")),
    ("ED", re.compile(r"\b(ed|snfh)\b|o?edema|peritumou?r|flair hyper")),
    ("ET", REGION_WORDS["ET"]),
)


@dataclass(frozen=True)
class DatasetJson:
    """What a ``dataset.json`` states. ``labels`` maps a name to its label, or to the labels of a region.

    ``content`` is all that it holds, as it was written.
    """

    path: Path
    channels: Mapping[int, str]
    labels: Mapping[str, tuple[int, ...]]
    file_ending: str = ".nii.gz"
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def region_based(self) -> bool:
        """As nnU-Net decides it: one entry with several labels makes the whole data set region based."""
        return any(len(labels) > 1 for labels in self.labels.values())

    def convention(self) -> LabelConvention | None:
        """The label convention that it spells out; None where its names are no tumour regions or tissues."""
        regions = self._named_regions()
        if regions is None:
            return None
        for known in CONVENTIONS.values():
            if _as_sets(known.regions) == regions and known.labels == self._all_labels():
                return known
        return _spelled_out(regions)

    def probability_channels(self) -> dict[str, tuple[int, ...]]:
        """The channels of a saved probability map that add up to each of WT, TC, ET.

        Region-based: one channel a region in the order written (nnU-Net's ``foreground_regions``). Label-based:
        softmax channels in the order of the labels, background first. Raises CohortError where a region is unknown.
        """
        regions = self._named_regions()
        if regions is None or set(regions) != set(REGIONS):
            raise CohortError(
                f"{self.path}: its labels name no WT, TC and ET; rename them, for example to 'whole tumor'"
            )
        if self.region_based:
            order = [frozenset(labels) for labels in self.labels.values() if set(labels) != {0}]
            return {region: (order.index(regions[region]),) for region in REGIONS}
        order = sorted({0} | self._all_labels())
        return {region: tuple(order.index(label) for label in sorted(regions[region])) for region in REGIONS}

    def _all_labels(self) -> frozenset[int]:
        return frozenset(label for labels in self.labels.values() for label in labels) - {0}

    def _named_regions(self) -> dict[str, frozenset[int]] | None:
        named = self._region_names() if self.region_based else self._tissue_names()
        return named if named and "WT" in named else None

    def _region_names(self) -> dict[str, frozenset[int]]:
        """Regions by name; a lone label called 'enhancing tumor' is ET."""
        found = {}
        for name, labels in self.labels.items():
            region = next((key for key, words in REGION_WORDS.items() if words.search(_plain(name))), "")
            if region and set(labels) != {0}:
                found.setdefault(region, frozenset(labels))
        return found

    def _tissue_names(self) -> dict[str, frozenset[int]]:
        """Regions put together from tissue labels."""
        tissues: dict[str, set[int]] = {"RC": set(), "NCR": set(), "ED": set(), "ET": set()}
        for name, labels in self.labels.items():
            tissue = next((key for key, words in TISSUE_WORDS if words.search(_plain(name))), "")
            if tissue:
                tissues[tissue] |= set(labels)
        if not all(tissues[tissue] for tissue in ("NCR", "ED", "ET")):
            return {}
        core = tissues["NCR"] | tissues["ET"]
        return {"WT": frozenset(core | tissues["ED"]), "TC": frozenset(core), "ET": frozenset(tissues["ET"])}


def read_dataset_json(path: Path) -> DatasetJson:
    """Read nnU-Net v1, v2 or Decathlon form. Raises CohortError where it is damaged or has no labels."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        channels = content.get("channel_names") or content.get("modality") or {}
        return DatasetJson(
            path,
            {int(index): channel_of(str(name)) for index, name in channels.items()},
            _labels(content["labels"]),
            content.get("file_ending", ".nii.gz"),
            content,
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CohortError(
            f"{path}: not a readable dataset.json ({error!r}); write it again or state --labels"
        ) from None


def dataset_json_above(path: Path, levels: int = 3) -> Path | None:
    """The nearest ``dataset.json`` beside a file or up to ``levels`` folders above it."""
    for folder in list(path.parents)[: levels + 1]:
        if (folder / "dataset.json").is_file():
            return folder / "dataset.json"
    return None


def _labels(entries: Mapping) -> dict[str, tuple[int, ...]]:
    """Labels by name; the Decathlon writes them the other way round (``"1": "edema"``)."""
    if all(str(key).isdigit() for key in entries):
        return {str(name): (int(label),) for label, name in entries.items()}
    named = {name: value if isinstance(value, list) else [value] for name, value in entries.items() if name != "ignore"}
    return {name: tuple(int(label) for label in labels) for name, labels in named.items()}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip()


def _as_sets(regions: Mapping[str, tuple[int, ...]]) -> dict[str, frozenset[int]]:
    return {region: frozenset(labels) for region, labels in regions.items()}


def _spelled_out(regions: Mapping[str, frozenset[int]]) -> LabelConvention:
    """``NCR=2,ED=1,ET=3`` where each tissue is one label, otherwise the regions as they are."""
    enhancing = regions.get("ET", frozenset())
    tissues = {"NCR": regions.get("TC", enhancing) - enhancing, "ED": regions["WT"] - regions.get("TC", enhancing)}
    tissues["ET"] = enhancing
    if all(len(labels) == 1 for labels in tissues.values()):
        try:
            return label_convention(",".join(f"{tissue}={min(labels)}" for tissue, labels in tissues.items()))
        except LabelError as error:
            raise CohortError(f"dataset.json: {error}") from None
    labels = sorted(regions["WT"])
    inside_out = {region: _ordered(region, regions) for region in REGIONS if region in regions}
    name = "dataset.json " + " ".join(f"{region}={'+'.join(map(str, parts))}" for region, parts in inside_out.items())
    return LabelConvention(name, {str(label): label for label in labels}, inside_out)


def _ordered(region: str, regions: Mapping[str, frozenset[int]]) -> tuple[int, ...]:
    """Labels of a region, those of the regions inside it first, as ``LabelConvention.paint`` expects."""
    inner = regions.get({"WT": "TC", "TC": "ET"}.get(region, ""), frozenset())
    return (*sorted(regions[region] & inner), *sorted(regions[region] - inner))

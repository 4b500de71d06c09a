"""A case's errors as the report shows them: what is wrong in words, and a picture of where."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ..cohort import Case
from ..cohort.faces import UNSTRIPPED, looks_unstripped
from .contents import Contents
from .errors import RegionError, describe_error
from .markup import Html, element
from .metrics import AnalysisError
from .pairs import REFERENCE, CaseReader, Masks, Pair
from .sentences import Verdict, verdict
from .thumbnails import PREDICTION_INDEX, REFERENCE_INDEX, THICK, THIN, Outline, Scene, background, middle, picture


class Look(NamedTuple):
    """``verdict`` is None where the files could not be read again, for the reason that ``problem`` tells.

    ``has_face``: the picture is of an image in which a face may be recognised.
    """

    verdict: Verdict | None
    picture: Html
    problem: str = ""
    has_face: bool = False


def look(contents: Contents, case: Case, model: str, region: str) -> Look:
    """What is wrong with a prediction in that region, in words and as a picture."""
    try:
        pair = CaseReader(case).pair(model)
        if region not in pair.regions:
            raise AnalysisError(f"{case.case}: no mask of {region} to show")
        error = describe_error(pair.truth[region], pair.prediction.masks[region], pair.geometry, region)
        said = verdict(error, against="reference" if pair.versus == REFERENCE else "consensus")
        return _picture_of_pair(pair, region, error)._replace(verdict=said)
    except (AnalysisError, OSError) as problem:
        return Look(None, element("span", "no picture", class_="quiet"), contents.local(str(problem)))


def look_at_reference(contents: Contents, case: Case) -> Look:
    """The images and the reference's outlines of a case without a scored prediction; there is no verdict."""
    reader = CaseReader(case)
    try:
        geometry, reference = reader.geometry, reader.reference
        masks: Masks = reference.masks if reference else {}
        image, channel = background(case, "WT", geometry)
        outlines = list(_outlines(masks, "WT", REFERENCE_INDEX, "TC"))
        scene = Scene(geometry, middle(geometry, masks.get("WT")), outlines, masks.get("WT"), image)
        return _image(scene, case.case, _caption(channel, "WT", list(masks), "TC"))
    except (AnalysisError, OSError) as problem:
        said = contents.local(str(problem))
        return Look(None, element("p", f"It could not be read: {said}", class_="check"), said)


def _picture_of_pair(pair: Pair, region: str, error: RegionError) -> Look:
    image, channel = background(pair.case, region, pair.geometry)
    spot = error.largest.index if error.largest else middle(pair.geometry, pair.truth[region])
    outlines = [
        *_outlines(pair.truth, region, REFERENCE_INDEX),
        *_outlines(pair.prediction.masks, region, PREDICTION_INDEX),
    ]
    around = pair.truth.get("WT", pair.truth[region])
    scene = Scene(pair.geometry, spot, outlines, around, image)
    return _image(scene, f"{region} of {pair.case.case}, {pair.model}", _caption(channel, region, pair.regions))


def _outlines(masks: Mapping[str, np.ndarray], region: str, index: int, second: str = "WT") -> Iterator[Outline]:
    """The region thick, ``second`` (usually the whole tumour) thin."""
    if second != region and second in masks:
        yield Outline(masks[second], index, THIN)
    if region in masks:
        yield Outline(masks[region], index, THICK)


def _caption(channel: str, region: str, known: list[str], second: str = "WT") -> str:
    thin = f", {second} thin" if second != region and second in known else ""
    outlines = f"{region} thick{thin}" if region in known else "no outline"
    return f"{channel or 'no image'} · {outlines}"


def _image(scene: Scene, alternative: str, caption: str) -> Look:
    """Without a verdict."""
    has_face = scene.image is not None and looks_unstripped(scene.image, scene.geometry)
    source = f"data:image/png;base64,{b64encode(picture(scene)).decode()}"
    image = element("img", src=source, alt=alternative, decoding="async")
    warning = element("figcaption", f"The image {UNSTRIPPED}.", class_="check") if has_face else None
    figure = element("figure", image, element("figcaption", caption), warning, class_="picture")
    return Look(None, figure, has_face=has_face)

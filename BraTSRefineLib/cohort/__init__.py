"""Which cases there are: finds them in a folder, says what is missing or wrong, and reads their volumes.

Layouts on disk that `discover` understands, all of them without a manifest:

- *BraTS folders* of 2013 to 2025: ``<root>/[cases/]<case>/<case>{_|-}<suffix>.nii[.gz]``, suffixes ``t1 t1n``,
  ``t1ce t1Gd t1c``, ``t2 t2w``, ``flair t2f`` and ``seg``; ``HGG/`` and ``LGG/`` in between; ``VSD.Brain...mha`` of
  2013; time points ``<case>-time1-seg`` as examinations of their own; or all cases' files flat in one folder.
- *Predictions* beside them: ``<root>/predictions/<model>/<case>.nii.gz`` (also ``<case>_pred``, ``<case>-seg``; upper
  and lower case may differ where the case stays unique), probability maps as ``<case>.npz`` or
  ``<case>_probabilities.nii.gz``. A folder with ``predictions/`` alone is a cohort without images and references.
- *nnU-Net*: raw (``imagesTr``, ``labelsTr``, ``imagesTs``, ``dataset.json``) with results in it, in ``predictions/``
  or in ``nnUNet_results`` beside ``nnUNet_raw`` (``<trainer>__<plans>__<configuration>/fold_X/validation``: one model,
  the fold is the case's split); results by themselves; the output of ``nnUNetv2_predict``. The Decathlon is nnU-Net's
  version 1.
- *Two folders*: ``references=`` and ``predictions={model: folder}``, or ``references/`` beside ``predictions/``.
- *Manifest*: a CSV with the columns of ``Cohort.table()``, paths relative to it.
- *Several of these* in one folder: each subfolder is a centre with its own label convention. A case name that several
  centres use becomes ``<centre>/<case>`` in each.

The centre of a single data set comes from ``centers.csv`` (``case,center[,split]``, further columns are attributes of
the cases) or a FeTS ``*partition*.csv``
in its folder.
"""

from .case import CHANNELS, Case, Cohort, CohortError, Problem, stated_convention
from .geometry import case_geometry
from .labels import label_sets
from .layouts import discover
from .manifest import read_manifest
from .naming import person_of
from .orientation import to_canonical
from .probabilities import read_probabilities
from .saved import load_cohort, save_cohort
from .volumes import Geometry, VolumeError, read_geometry, read_image, read_label_map, write_volume
from .workspace import Workspace, WorkspaceError, safe_name, written_whole

__all__ = [
    "CHANNELS",
    "Case",
    "Cohort",
    "CohortError",
    "Geometry",
    "Problem",
    "VolumeError",
    "Workspace",
    "WorkspaceError",
    "case_geometry",
    "discover",
    "label_sets",
    "load_cohort",
    "person_of",
    "read_geometry",
    "read_image",
    "read_label_map",
    "read_manifest",
    "read_probabilities",
    "safe_name",
    "save_cohort",
    "stated_convention",
    "to_canonical",
    "write_volume",
    "written_whole",
]

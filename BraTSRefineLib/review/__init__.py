"""What a reviewer should look at, ranked; and what reviewers said of it, kept so that nothing is lost."""

from .annotation_export import IMAGES, Export, Saved, export_annotations
from .annotation_list import FOR_ANNOTATION, AnnotationList, annotation_states, open_list
from .annotation_table import cart_table, write_annotation_list
from .correction_agreement import correction_agreement, newest_corrections
from .correction_drafts import Draft, DraftKeeper, drafts
from .correction_labels import Tissue, joined, kept_inside, neighbourhood, tissues_of
from .corrections import (
    SourceChanged,
    Start,
    Version,
    is_of_another_prediction,
    save_correction,
    saved_versions,
    start_from_prediction,
    start_from_version,
    versions,
)
from .file_hash import file_hash
from .flag_evidence import Evidence, level_evidence, vote_evidence
from .flag_files import read_flags, write_flags
from .flag_names import flag_id
from .flag_risk import RiskTable, Tally, fit_risk, read_risks, risks_file, write_risks
from .flag_types import ERROR_RISK, FLAG_COLUMNS, Flag, ReviewError, default_threshold
from .flag_worth import FlagWorth, heaviest_disagreement, worth
from .flags import Doubt, Flagged, find_flags
from .followed import Followed
from .store import Store, open_store
from .store_agreement import disagreements, reader_agreement
from .store_events import DECISIONS, KINDS, Event
from .store_pseudonyms import Pseudonyms, pseudonyms_of
from .store_readers import visible_to
from .store_rows import read_events, write_events
from .store_state import PROGRESS, CaseState
from .training_layout import LAYOUTS
from .worklist import Wish, Worklist, read_quality, worklist

__all__ = [
    "DECISIONS",
    "ERROR_RISK",
    "FLAG_COLUMNS",
    "FOR_ANNOTATION",
    "IMAGES",
    "KINDS",
    "LAYOUTS",
    "PROGRESS",
    "AnnotationList",
    "CaseState",
    "Doubt",
    "Draft",
    "DraftKeeper",
    "Event",
    "Evidence",
    "Export",
    "Flag",
    "FlagWorth",
    "Flagged",
    "Followed",
    "Pseudonyms",
    "ReviewError",
    "RiskTable",
    "Saved",
    "SourceChanged",
    "Start",
    "Store",
    "Tally",
    "Tissue",
    "Version",
    "Wish",
    "Worklist",
    "annotation_states",
    "cart_table",
    "correction_agreement",
    "default_threshold",
    "disagreements",
    "drafts",
    "export_annotations",
    "file_hash",
    "find_flags",
    "fit_risk",
    "flag_id",
    "heaviest_disagreement",
    "is_of_another_prediction",
    "joined",
    "kept_inside",
    "level_evidence",
    "neighbourhood",
    "newest_corrections",
    "open_list",
    "open_store",
    "pseudonyms_of",
    "read_events",
    "read_flags",
    "read_quality",
    "read_risks",
    "reader_agreement",
    "risks_file",
    "save_correction",
    "saved_versions",
    "start_from_prediction",
    "start_from_version",
    "tissues_of",
    "versions",
    "visible_to",
    "vote_evidence",
    "worklist",
    "worth",
    "write_annotation_list",
    "write_events",
    "write_flags",
    "write_risks",
]

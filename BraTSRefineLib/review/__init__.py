"""What a reviewer should look at, ranked; and what reviewers said of it, kept so that nothing is lost."""

from .correction_agreement import correction_agreement, newest_corrections
from .flag_evidence import Evidence, level_evidence, vote_evidence
from .flag_files import read_flags, write_flags
from .flag_risk import RISKS_FILE, RiskTable, Tally, fit_risk, read_risks, write_risks
from .flag_types import ERROR_RISK, FLAG_COLUMNS, Flag, ReviewError, default_threshold
from .flag_worth import FlagWorth, heaviest_disagreement, worth
from .flags import Doubt, Flagged, find_flags
from .store import Store, open_store
from .store_agreement import disagreements, reader_agreement
from .store_events import DECISIONS, KINDS, Event
from .store_pseudonyms import Pseudonyms, pseudonyms_of
from .store_rows import read_events, write_events
from .store_state import PROGRESS, CaseState
from .worklist import Wish, Worklist, read_quality, worklist

__all__ = [
    "DECISIONS",
    "ERROR_RISK",
    "FLAG_COLUMNS",
    "KINDS",
    "PROGRESS",
    "RISKS_FILE",
    "CaseState",
    "Doubt",
    "Event",
    "Evidence",
    "Flag",
    "FlagWorth",
    "Flagged",
    "Pseudonyms",
    "ReviewError",
    "RiskTable",
    "Store",
    "Tally",
    "Wish",
    "Worklist",
    "correction_agreement",
    "default_threshold",
    "disagreements",
    "find_flags",
    "fit_risk",
    "heaviest_disagreement",
    "level_evidence",
    "newest_corrections",
    "open_store",
    "pseudonyms_of",
    "read_events",
    "read_flags",
    "read_quality",
    "read_risks",
    "reader_agreement",
    "vote_evidence",
    "worklist",
    "worth",
    "write_events",
    "write_flags",
    "write_risks",
]

"""What a reviewer should look at, ranked; and what reviewers said of it, kept so that nothing is lost."""

from .flag_evidence import Evidence, level_evidence, vote_evidence
from .flag_files import read_flags, write_flags
from .flag_risk import RISKS_FILE, RiskTable, Tally, fit_risk, read_risks, write_risks
from .flag_types import ERROR_RISK, FLAG_COLUMNS, Flag, ReviewError, default_threshold
from .flag_worth import FlagWorth, heaviest_disagreement, worth
from .flags import Doubt, Flagged, find_flags, flagged_regions, uncertain_regions
from .store import Store, open_store
from .store_events import DECISIONS, KINDS, Event
from .store_rows import read_events, write_events
from .store_state import CaseState

__all__ = [
    "DECISIONS",
    "ERROR_RISK",
    "FLAG_COLUMNS",
    "KINDS",
    "RISKS_FILE",
    "CaseState",
    "Doubt",
    "Event",
    "Evidence",
    "Flag",
    "FlagWorth",
    "Flagged",
    "ReviewError",
    "RiskTable",
    "Store",
    "Tally",
    "default_threshold",
    "find_flags",
    "fit_risk",
    "flagged_regions",
    "heaviest_disagreement",
    "level_evidence",
    "open_store",
    "read_events",
    "read_flags",
    "read_risks",
    "uncertain_regions",
    "vote_evidence",
    "worth",
    "write_events",
    "write_flags",
    "write_risks",
]

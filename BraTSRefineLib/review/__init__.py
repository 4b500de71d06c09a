"""What a reviewer should look at: uncertain regions as a ranked list of places."""

from .flag_evidence import Evidence, level_evidence, vote_evidence
from .flag_files import read_flags, write_flags
from .flag_risk import RISKS_FILE, RiskTable, Tally, fit_risk, read_risks, write_risks
from .flag_types import ERROR_RISK, FLAG_COLUMNS, Flag, ReviewError, default_threshold
from .flag_worth import FlagWorth, heaviest_disagreement, worth
from .flags import Doubt, Flagged, find_flags, flagged_regions, uncertain_regions

__all__ = [
    "ERROR_RISK",
    "FLAG_COLUMNS",
    "RISKS_FILE",
    "Doubt",
    "Evidence",
    "Flag",
    "FlagWorth",
    "Flagged",
    "ReviewError",
    "RiskTable",
    "Tally",
    "default_threshold",
    "find_flags",
    "fit_risk",
    "flagged_regions",
    "heaviest_disagreement",
    "level_evidence",
    "read_flags",
    "read_risks",
    "uncertain_regions",
    "vote_evidence",
    "worth",
    "write_flags",
    "write_risks",
]

"""What a reviewer should look at: uncertain regions as a ranked list of places."""

from .flags import (
    FLAG_COLUMNS,
    Flag,
    ReviewError,
    default_threshold,
    flagged_regions,
    read_flags,
    uncertain_regions,
    write_flags,
)

__all__ = [
    "FLAG_COLUMNS",
    "Flag",
    "ReviewError",
    "default_threshold",
    "flagged_regions",
    "read_flags",
    "uncertain_regions",
    "write_flags",
]

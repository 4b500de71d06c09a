"""Which cases to annotate next."""

from .uncertainty import SelectionError, most_uncertain

__all__ = ["SelectionError", "most_uncertain"]

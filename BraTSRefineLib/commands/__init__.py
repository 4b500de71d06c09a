"""The sub-commands of ``bratsrefine``, one a job; ``cli`` registers them."""

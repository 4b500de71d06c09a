"""Stand-ins for what Slicer offers and the wheels do not: ``qt``, ``ctk``, and modules of the ``slicer`` package."""

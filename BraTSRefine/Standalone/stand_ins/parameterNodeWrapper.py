"""The part of ``slicer.parameterNodeWrapper`` that the module uses."""

"""BraTSRefine's backend: scoring, analysis, fusion, post-processing and selection for brain-tumour segmentation.

It never imports ``slicer``, ``vtk`` or ``qt``: everything runs in a plain Python process.
"""

__version__ = "0.1.0"

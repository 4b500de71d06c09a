"""A small host that runs the unmodified Slicer module without the Slicer application.

Start it from a shell::

    python -m BraTSRefine.Standalone --cohort FOLDER --workspace W [--size 1600x900] [--light]
    python -m BraTSRefine.Standalone --cohort FOLDER --workspace W --offscreen --screenshots DIR

or from a test, a benchmark or a console (one host at a time, any number one after the other)::

    from BraTSRefine.Standalone.host import start

    host = start("BraTSRefine", offscreen=True, size=(1600, 900))
    host.widget.openWorkspace(cohortFolder, workspaceFolder)  # the module's own widget object
    host.settle(200)                                          # events and scheduled renders are done
    host.screenshot("review.png")                             # the whole window, views included
    assert not host.failures                                  # exceptions that slots and events raised
    host.close()

What the module finds, under the names it has in Slicer:

``slicer``  the slicer-core wheel (MRML, logics, ``slicer.util``) and ``slicer.app``, ``slicer.mrmlScene``,
    ``slicer.modules``, ``slicer.qMRMLWidget``, ``slicer.i18n``, ``slicer.ScriptedLoadableModule``,
    ``slicer.parameterNodeWrapper``.
``slicer.app``  layoutManager(), applicationLogic(), mrmlScene(), moduleManager(), userSettings(), settings(),
    processEvents(), testingEnabled(), pauseRender(), resumeRender(), applicationName, and all of QApplication.
``slicer.app.layoutManager()``  layoutLogic(), layout, setLayout(), sliceViewNames(), sliceWidget(), threeDWidget(),
    threeDViewCount, mrmlSliceLogics(), resetSliceViews(), resetThreeDViews(), pauseRender(), resumeRender(), and the
    signal layoutChanged(int). Layouts are read from the scene's vtkMRMLLayoutNode, as in Slicer.
``qt``  PySide6's QtCore, QtGui, QtWidgets, QtNetwork and QUiLoader in one flat namespace.
``ctk``  the stand-ins of ``stand_ins/ctk.py``; each has the properties, signals and slots of the real widget only.

Modules of ``BraTSRefineUI`` and ``BraTSRefine.py`` see Qt properties as attributes (``label.text = "x"``) and nothing
else, as PythonQt shows them; all other files, tests too, see PySide6's ordinary methods, unless they ask for the same
by ``names.selectPropertyAttributes(__name__)``.

Not served: plots, tables, node selectors, the Segment Editor; where a layout has a plot, a line of words says so.
Import this package before the module's folder comes on ``sys.path``: that folder holds a module of the same name.
"""

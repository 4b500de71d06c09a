"""BraTSRefine: from a folder of brain-tumour predictions to a ranked, explained and fixable list of failures."""

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class BraTSRefine(ScriptedLoadableModule):
    """What Slicer's module list shows."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = "BraTSRefine"
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = []
        parent.contributors = ["BraTSRefine contributors"]
        parent.helpText = _(
            "Opens a folder of brain-tumour predictions, ranks the worst cases, shows them beside their references "
            "with error map and uncertainty, and refines them. For research use only, not for clinical decisions."
        )
        parent.acknowledgementText = _("Metrics and regions as defined by the BraTS challenges.")


class BraTSRefineWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Hands Slicer's calls on to the workbench."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.workbench = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from BraTSRefineUI.dependencies import findBackend
        from BraTSRefineUI.workbench import Workbench

        findBackend()
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/BraTSRefine.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.workbench = Workbench(self.ui, self.resourcePath, slicer.mrmlScene, slicer.app.layoutManager())
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)

    def enter(self):
        self.workbench.enter()

    def exit(self):
        self.workbench.exit()

    def cleanup(self):
        self.removeObservers()
        if self.workbench:
            self.workbench.cleanup()

    def onSceneEndClose(self, caller, event):
        self.workbench.onSceneClosed()

    def openWorkspace(self, cohortFolder, workspaceFolder="", store=""):
        """Open a cohort and show its worst case, or the one where this reviewer stopped.

        ``store``: where the decisions are kept, as postgresql://USER@HOST/NAME; empty: as before, or in the workspace.
        Raises CohortError or WorkspaceError.
        """
        self.workbench.review.keepIn(store)
        self.workbench.opening.openAtOnce(str(cohortFolder), str(workspaceFolder))

    def beginOpening(self, cohortFolder, workspaceFolder="", store=""):
        """The same while the window goes on; what goes wrong is said in it."""
        self.workbench.review.keepIn(store)
        self.workbench.cohortPanel.openPlace(str(cohortFolder), str(workspaceFolder))

    def panelNames(self):
        """The names of the panels, in the order of the work."""
        return self.workbench.panelNames()

    def showPanel(self, name):
        """Bring a panel to the front."""
        self.workbench.showPanel(name)

    def showCase(self, caseName):
        """Show a case in the views and the panels."""
        self.workbench.showCase(caseName)

    def isReading(self):
        """Whether a cohort or a case that was chosen is still being read and will be shown by itself."""
        return self.workbench.opening.isRunning or bool(self.workbench.reading.wantedCase)


class BraTSRefineLogic(ScriptedLoadableModuleLogic):
    """The module without its panel: the case in the scene, for scripts."""

    def showCase(self, folder, workspace, case, model="", region="WT"):
        """Open a cohort and show one case; the returned CaseScene owns its nodes."""
        from BraTSRefineUI.scene import CaseScene
        from BraTSRefineUI.session import Session

        session = Session()
        session.open(folder, workspace)
        session.setModel(model or session.model)
        session.setRegion(region)
        caseScene = CaseScene(slicer.mrmlScene)
        caseScene.show(session.loadCase(case), session.loadUncertainty(), region)
        return caseScene


class BraTSRefineTest(ScriptedLoadableModuleTest):
    """The module's self-test, on a simulated cohort."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_aSimulatedCaseIsShownAndLeavesNothingBehind()

    def test_aSimulatedCaseIsShownAndLeavesNothingBehind(self):
        import tempfile
        from pathlib import Path

        from BraTSRefineUI.dependencies import findBackend

        findBackend()
        from BraTSRefineLib.phantom import write_cohort

        before = slicer.mrmlScene.GetNumberOfNodes()
        with tempfile.TemporaryDirectory() as folder:
            cohort = write_cohort(Path(folder) / "cohort", cases=2, centers=1, seed=1, scale=0.3)
            case = sorted(path.name for path in (cohort / "cases").iterdir())[0]
            caseScene = BraTSRefineLogic().showCase(cohort, Path(folder) / "workspace", case, model="fold_1")
        self.addCleanup(caseScene.clear)
        shown = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")}
        assert {"reference", "fold_1"} <= shown
        caseScene.clear()
        assert slicer.mrmlScene.GetNumberOfNodes() == before

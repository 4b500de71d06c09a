"""``slicer.ScriptedLoadableModule``: the four base classes of a scripted module, without the developer's section."""

import logging
import sys
import unittest
from pathlib import Path

import slicer

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


def _sourceFolder(instance) -> Path:
    return Path(sys.modules[type(instance).__module__].__file__).resolve().parent


class ScriptedLoadableModule:
    """What a module says about itself, written to ``parent`` (the module's record in the application)."""

    def __init__(self, parent):
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = self.moduleName
        parent.path = sys.modules[type(self).__module__].__file__
        slicer.modules.register(self.moduleName, parent)

    def resourcePath(self, filename):
        """Absolute path of a file in the module's Resources folder."""
        return str(_sourceFolder(self) / "Resources" / filename)

    def getDefaultModuleDocumentationLink(self, docPage=None):
        """One line of HTML with a link to the module's page."""
        return f'<p>For more information see the <a href="{docPage or self.moduleName}">online documentation</a>.</p>'

    def runTest(self, msec=100, **kwargs):
        """Run ``<module>Test.runTest`` of the module's file; an exception is a failure."""
        testClass = getattr(sys.modules[type(self).__module__], f"{self.moduleName}Test")
        testClass().runTest()


class ScriptedLoadableModuleWidget:
    """Builds the module's panel inside ``parent``, a widget with a vertical layout."""

    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent if parent is not None else _containerWithLayout()
        self.layout = self.parent.layout()
        setattr(slicer.modules, f"{self.moduleName}Widget", self)

    def resourcePath(self, filename):
        """Absolute path of a file in the module's Resources folder."""
        return str(_sourceFolder(self) / "Resources" / filename)

    def setup(self):
        """Build the panel; the host calls it once."""

    def enter(self):
        """The panel is shown."""

    def exit(self):
        """Another panel is shown."""

    def cleanup(self):
        """The application closes."""


def _containerWithLayout():
    from .scripted import ModulePanel

    return ModulePanel()


class ScriptedLoadableModuleLogic:
    """Computation and access to the module's parameter node in the scene."""

    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self):
        """The module's singleton parameter node, made when it is missing; else the first of its nodes."""
        if not self.isSingletonParameterNode:
            found = self.getAllParameterNodes()
            return found[0] if found else self.createParameterNode()
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        return node or self.createParameterNode()

    def getAllParameterNodes(self):
        """Every parameter node of this module in the scene."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetModuleName() == self.moduleName]

    def createParameterNode(self):
        """A new parameter node in the scene."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base class of a module's self-test."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.enableScreenshots = False
        self.screenshotScaleFactor = 1.0

    def delayDisplay(self, message, requestedDelay=None, msec=None):
        """Tell the person who watches how far the test is."""
        logging.info(message)
        slicer.app.processEvents()

    def runTest(self):
        """Run all ``test*`` methods; subclasses usually override it."""
        for name in unittest.TestLoader().getTestCaseNames(type(self)):
            self.setUp()
            getattr(self, name)()

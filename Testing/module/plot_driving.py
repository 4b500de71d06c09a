"""The plot below the views as a person sees and clicks it."""

from __future__ import annotations

from pointing import place_in_chart
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


def plot_view(host):
    return host.layoutManager.plotWidget(0).plotView()


def lonely_case(host, bench, plots) -> str:
    """A case that is not shown and whose point lies clear of all others on the screen."""
    view, places = plot_view(host), plots.nodes.picture.places
    spots = {case: place_in_chart(view, *points[0]) for case, points in places.items()}

    def nearest(case: str) -> int:
        others = (spots[case] - spot for other, spot in spots.items() if other != case)
        return min(other.manhattanLength() for other in others)

    return max((case for case in spots if case != bench.session.case), key=nearest)


def click_point(host, plots, case: str) -> None:
    view = plot_view(host)
    place = place_in_chart(view, *plots.nodes.picture.places[case][0])
    QTest.mouseMove(view, place)
    QTest.mouseClick(view, Qt.LeftButton, pos=place)
    host.settle()


def shown_in_chart(plots) -> list[str]:
    import slicer

    chart = slicer.mrmlScene.GetNodeByID(plots.nodes.chartID)
    return [chart.GetNthPlotSeriesNode(i).GetName() for i in range(chart.GetNumberOfPlotSeriesNodes())]

"""The drawing of an app with its addresses: where a click on a route, a service or a volume leads."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.selectors.running import InstanceLine
from apps.selectors.topology import Node, Topology, relations
from apps.views.app_frame import AppFrame
from core.status import Status

LIST = "list"


@dataclass(frozen=True)
class Part:
    """A box with where it leads; `ways`: all there is to see of a service."""

    node: Node
    url: str
    label: str
    ways: list[dict[str, str]]

    @property
    def relations(self) -> list[str]:
        return relations(self.node)

    @property
    def key(self) -> str:
        return self.node.key

    @property
    def title(self) -> str:
        return self.node.title

    @property
    def about(self) -> str:
        return self.node.about

    @property
    def status(self) -> Status | None:
        return self.node.status

    @property
    def cells(self) -> tuple[str, ...]:
        return self.node.cells


def topology_context(frame: AppFrame, drawn: Topology | None, shown: str) -> dict[str, Any]:
    """`shown`: "list" or anything else for the drawing."""
    if drawn is None:
        return {"topology": None}
    parts = [_part(frame, node) for node in drawn.nodes]
    named = (("route", _("Routes")), ("service", _("Services")), ("volume", _("Volumes")))
    groups = [{"title": title, "parts": [one for one in parts if one.node.part == part]} for part, title in named]
    return {
        "topology": drawn,
        "parts": parts,
        "groups": [group for group in groups if group["parts"]],
        "as_list": shown == LIST,
        "ways": [
            {"label": _("Drawing"), "url": frame.address("app"), "current": shown != LIST},
            {"label": _("List"), "url": frame.address("app", topology=LIST), "current": shown == LIST},
        ],
    }


def _part(frame: AppFrame, node: Node) -> Part:
    ways = _ways(frame, node.name) if node.part == "service" else []
    url = f"http://{node.address}" if node.address else ways[0]["url"] if ways else ""
    return Part(node, url, _label(node), ways)


def _ways(frame: AppFrame, service: str) -> list[dict[str, str]]:
    named = (
        ("logs", _("Logs"), "file-text", frame.reads_logs),
        ("metrics", _("Metrics"), "chart-line", True),
        ("console", _("Console"), "terminal-2", frame.opens_consoles),
    )
    return [
        {"label": label, "icon": icon, "url": url}
        for name, label, icon, allowed in named
        if allowed and (url := frame.address_if_any(name, service=service))
    ]


def instance_ways(frame: AppFrame, line: InstanceLine) -> list[dict[str, str]]:
    """Where the tools of an instance's row lead."""
    named = (
        ("logs", _("Logs of %(instance)s"), "file-text", frame.reads_logs),
        ("console", _("Console in %(instance)s"), "terminal-2", frame.opens_consoles),
        ("metrics", _("Metrics of %(instance)s"), "chart-line", True),
    )
    return [
        {"label": label % {"instance": line.name}, "icon": icon, "url": url}
        for name, label, icon, allowed in named
        if allowed and (url := frame.address_if_any(name, instance=str(line.id)))
    ]


def _label(node: Node) -> str:
    """A box in one sentence, for those who do not see it."""
    kinds = {"route": _("Route"), "service": _("Service"), "volume": _("Volume")}
    return ", ".join([f"{kinds[node.part]} {node.title}", node.about, *relations(node)])

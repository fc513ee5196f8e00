"""What an app is made of and what leads where: routes, services, volumes, as boxes in lanes with their state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from apps.selectors.reasons import reason_status
from apps.selectors.running import InstanceLine, ServiceFacts, share_of
from apps.specification import Specification
from core.lanes import Box, Drawing, draw
from core.status import Kind, Status
from core.wording import bytes_text, number

DEEPEST = 2  # services stand in at most three lanes; a longer chain goes on in the last one
TALL, LOW = 70.0, 50.0
MOST_CELLS = 14
_CELLS = {Kind.OK: "", Kind.BUSY: "is-busy", Kind.WARN: "is-warn", Kind.BAD: "is-bad"}


@dataclass(frozen=True)
class Node:
    """A box. `name` is that of the service or volume; `address`, of a route only, can be opened.

    `cells`: a class for each instance, none where there are too many. `to`: titles of the services it leads to,
    `keeps`: of the volumes it writes to, `by`: of what leads to it. `status` None: it has no state of its own.
    """

    key: str
    part: str  # route | service | volume
    name: str
    title: str
    about: str
    status: Status | None = None
    address: str = ""
    cells: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    by: tuple[str, ...] = ()

    @property
    def troubled(self) -> bool:
        return self.status is not None and self.status.kind in (Kind.BAD, Kind.WARN)


@dataclass(frozen=True)
class Topology:
    nodes: tuple[Node, ...]
    drawing: Drawing
    lanes: tuple[tuple[float, str], ...]
    """Left edge and name of each lane."""

    def of(self, part: str) -> list[Node]:
        return [node for node in self.nodes if node.part == part]

    @property
    def said(self) -> str:
        """The whole as sentences, for those who do not see the drawing."""
        return " ".join(sentence for node in self.nodes if (sentence := _said(node)))


def topology(
    specification: Specification,
    services: Sequence[ServiceFacts],
    instances: Sequence[InstanceLine],
    *,
    stale: bool = False,
) -> Topology:
    """`services` and `instances` as `selectors.running` reads them; `stale`: nobody has looked of late. No query."""
    by_service: dict[str, list[InstanceLine]] = {facts.name: [] for facts in services}
    for line in instances:
        by_service.setdefault(line.service, []).append(line)
    depths = depths_of({name: tuple(service.depends_on) for name, service in specification.services.items()})
    found = [_service(facts, by_service[facts.name], stale=stale) for facts in services]
    routes, links = _routes(specification, by_service)
    volumes, uses = _volumes(specification)
    needs = [
        (_key("service", name), _key("service", other))
        for name, service in specification.services.items()
        for other in service.depends_on
    ]
    nodes = _named([*routes, *found, *volumes], [*links, *needs, *uses])
    first = 1 if routes else 0
    last = first + 1 + max(depths.values(), default=0)
    lanes = {"route": 0, "volume": last}
    boxes = [
        Box(node.key, lanes.get(node.part, first + depths.get(node.name, 0)), TALL if node.part == "service" else LOW)
        for node in nodes
    ]
    drawing = draw(boxes, [*links, *needs, *uses])
    return Topology(tuple(nodes), drawing, _lanes(drawing, routes=bool(routes), volumes=bool(volumes)))


def depths_of(needs: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How far each service stands from those that nobody needs: they are 0, what they need is one further."""
    found = dict.fromkeys(needs, 0)
    for _turn in range(DEEPEST):
        for name, others in needs.items():
            for other in others:
                if other in found:
                    found[other] = min(DEEPEST, max(found[other], found[name] + 1))
    return found


def _key(part: str, name: str) -> str:
    return f"{part}:{name}"


def _service(facts: ServiceFacts, lines: Sequence[InstanceLine], *, stale: bool) -> Node:
    status = _status(facts, lines, stale=stale)
    count = _("%(running)s of %(wanted)s") % {"running": facts.running, "wanted": facts.wanted}
    more = _used(facts, lines) if status is Status.RUNNING else [str(status.word)]
    cells = tuple(_CELLS.get(line.shown_status.kind, "is-wait") for line in lines)
    return Node(
        key=_key("service", facts.name),
        part="service",
        name=facts.name,
        title=facts.name,
        about=" · ".join([count, *more]),
        status=status,
        cells=tuple("is-wait" for _cell in cells) if stale else cells if len(cells) <= MOST_CELLS else (),
    )


def _status(facts: ServiceFacts, lines: Sequence[InstanceLine], *, stale: bool) -> Status:
    if stale:
        return Status.UNKNOWN
    if facts.wanted == 0:
        return Status.STOPPED
    if facts.running >= facts.wanted:
        return Status.RUNNING
    if failing := reason_status(facts.reason):
        return failing
    if any(line.status.kind is Kind.BUSY for line in lines):
        return Status.STARTING
    return Status.DEGRADED if facts.running else Status.MISSING


def _used(facts: ServiceFacts, lines: Sequence[InstanceLine]) -> list[str]:
    """CPU of all its instances, as a part of what they may use or of one core each, and their memory."""
    measured = [line for line in lines if line.usage is not None and not line.usage.old]
    if not measured:
        return []
    cpu = sum(line.usage.cpu for line in measured if line.usage)
    memory = sum(line.usage.memory for line in measured if line.usage)
    share = number(share_of(cpu, facts.cpu, len(measured)), places=0)
    return [_("%(share)s %% CPU") % {"share": share}, bytes_text(memory)]


def _routes(
    specification: Specification, by_service: Mapping[str, Sequence[InstanceLine]]
) -> tuple[list[Node], list[tuple[str, str]]]:
    """One for each published port: where it answers, as far as an instance has told."""
    nodes, links = [], []
    for name, service in sorted(specification.services.items()):
        for port in service.published_ports:
            lines = by_service.get(name, ())
            found = sorted({address for line in lines for at, address in line.addresses if at == port.target})
            key = _key("route", f"{name}:{port.target}/{port.protocol}")
            nodes.append(_route(key, name, port.short(), found))
            links.append((key, _key("service", name)))
    return nodes, links


def _route(key: str, service: str, port: str, answers: Sequence[str]) -> Node:
    words = {"port": port, "count": len(answers)}
    about = _("port %(port)s") % words
    if len(answers) > 1:
        about = _("port %(port)s, %(count)s addresses") % words
    title = answers[0] if answers else _("not reachable yet")
    return Node(key=key, part="route", name=service, title=title, about=about, address=answers[0] if answers else "")


def _volumes(specification: Specification) -> tuple[list[Node], list[tuple[str, str]]]:
    """Named volumes once, however many services use them; memory that looks like a folder once a service."""
    links = []
    paths: dict[str, list[str]] = {}
    nodes = []
    for name, service in sorted(specification.services.items()):
        for mount in service.named_volumes:
            links.append((_key("service", name), _key("volume", mount.source)))
            paths.setdefault(mount.source, []).append(mount.target)
        for memory in service.tmpfs_mounts:
            key = _key("volume", f"{name}:{memory.target}")
            about = _in_memory(memory.size)
            nodes.append(Node(key=key, part="volume", name=memory.target, title=memory.target, about=about))
            links.append((_key("service", name), key))
    for source, targets in paths.items():
        about = f"{', '.join(sorted(dict.fromkeys(targets)))} · {bytes_text(specification.volumes[source].size)}"
        nodes.append(Node(key=_key("volume", source), part="volume", name=source, title=source, about=about))
    return sorted(nodes, key=lambda node: node.key), links


def _in_memory(size: int | None) -> str:
    if size is None:
        return _("in memory")
    return _("in memory, at most %(size)s") % {"size": bytes_text(size)}


def _named(nodes: Sequence[Node], links: Iterable[tuple[str, str]]) -> list[Node]:
    """The nodes, each knowing what it leads to and what leads to it."""
    known = {node.key: node for node in nodes}
    to: dict[str, list[str]] = {}
    keeps: dict[str, list[str]] = {}
    by: dict[str, list[str]] = {}
    for source, target in links:
        kept = known[target].part == "volume"
        (keeps if kept else to).setdefault(source, []).append(known[target].title)
        by.setdefault(target, []).append(known[source].title)

    def named(of: Mapping[str, list[str]], node: Node) -> tuple[str, ...]:
        return tuple(sorted(of.get(node.key, ())))

    return [replace(node, to=named(to, node), keeps=named(keeps, node), by=named(by, node)) for node in nodes]


def _lanes(drawing: Drawing, *, routes: bool, volumes: bool) -> tuple[tuple[float, str], ...]:
    titles = [_("Services")]
    between = len(drawing.lanes) - routes - volumes - 1
    titles += [_("What they need"), *[""] * (between - 1)][: max(between, 0)]
    titles = [*([_("Routes")] if routes else []), *titles, *([_("Volumes")] if volumes else [])]
    return tuple(zip(drawing.lanes, titles, strict=False))


def _said(node: Node) -> str:
    if node.part == "volume":
        return ""
    return f"{node.title} ({node.about}): {'; '.join(relations(node))}."


def relations(node: Node) -> list[str]:
    """What leads where, in words."""
    named = {"to": ", ".join(node.to), "keeps": ", ".join(node.keeps), "by": ", ".join(node.by)}
    found = []
    if node.to:
        found.append((_("leads to %(to)s") if node.part == "route" else _("needs %(to)s")) % named)
    if node.keeps:
        found.append(_("keeps data in %(keeps)s") % named)
    if node.by:
        found.append(_("used by %(by)s") % named)
    return found

"""All documents of one import, sorted by what they are, with the names by which they find each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from backends.contract.documents import Loc
from backends.kubernetes.reading.amounts import label
from backends.kubernetes.reading.fields import Fields, Report, clipped, plain

MOST = 100
WORKLOADS = ("Deployment", "StatefulSet")
READ = {*WORKLOADS, "Service", "ConfigMap", "Secret", "Ingress", "HorizontalPodAutoscaler", "PersistentVolumeClaim"}
DROPPED = {"Namespace", "NetworkPolicy", "PodDisruptionBudget", "LimitRange", "ResourceQuota"}
_HEAD = ("apiVersion", "kind", "metadata")


@dataclass
class Document:
    """`used`: what uses a ConfigMap or Secret: env or file."""

    kind: str
    name: str
    fields: Fields
    used: set[str] = field(default_factory=set)

    @property
    def loc(self) -> Loc:
        return self.fields.loc

    @cached_property
    def texts(self) -> dict[str, str]:
        """Names and texts of what is in it. Of a Secret the texts are nobody's business."""
        found: dict[str, str] = {}
        for part in ("data", "stringData") if self.kind == "Secret" else ("data",):
            held = self.fields.data.get(part)
            for key, value in held.items() if isinstance(held, dict) else ():
                found[key] = value if self.kind != "Secret" and isinstance(value, str) else ""
        return found

    def file(self, key: str) -> str:
        """What a file of it is called in a specification."""
        return label(self.name if len(self.texts) == 1 else f"{self.name}-{key}")


@dataclass
class Parcel:
    report: Report
    documents: list[Document] = field(default_factory=list)
    name: str = ""

    def of(self, *kinds: str) -> list[Document]:
        return [one for one in self.documents if one.kind in kinds]

    def find(self, kind: str, name: object) -> Document | None:
        return next((one for one in self.documents if one.kind == kind and one.name == name), None)


def unpacked(documents: Sequence[object]) -> Parcel:
    """Tells of those that no app is made of."""
    parcel = Parcel(Report())
    for count, (loc, data) in enumerate(_flat(documents)):
        kind = plain(data.get("kind")) if isinstance(data, dict) else None
        about = data.get("metadata") if isinstance(data, dict) else None
        name = about.get("name") if isinstance(about, dict) else None
        owner = (" ".join(clipped(one) for one in (kind, name) if isinstance(one, str)) or "/", len(loc))
        covered = kind == "Secret"
        fields = Fields(data, loc, parcel.report, place="document", owner=owner, covered=covered)
        if count >= MOST:
            fields.tell("too_many", name=MOST)
            break
        if isinstance(data, dict) and _fine(fields, kind, name):
            _keep(parcel, Document(str(kind), str(name), fields))
    return parcel


def _flat(documents: Sequence[object]) -> Iterator[tuple[Loc, object]]:
    """What stands in a List counts like a document of its own."""
    for place, data in enumerate(documents):
        items = data.get("items") if isinstance(data, dict) else None
        if isinstance(data, dict) and data.get("kind") == "List" and isinstance(items, list):
            yield from (((place, "items", at), one) for at, one in enumerate(items))
        elif data is not None:
            yield (place,), data


def _fine(fields: Fields, kind: object, name: object) -> bool:
    if kind in DROPPED:
        fields.tell("kind_dropped", kind=kind)
    elif kind not in READ:
        fields.tell("kind", kind=kind or "-")
    elif not isinstance(name, str) or not name:
        fields.tell("name_missing")
    else:
        return True
    return False


def _keep(parcel: Parcel, one: Document) -> None:
    if parcel.find(one.kind, one.name):
        one.fields.tell("twice", name=one.name)
        return
    for key in _HEAD:
        one.fields.peek(key)
    about = one.fields.below("metadata")
    about.peek("name")
    labels = about.peek("labels")
    if isinstance(labels, dict) and not parcel.name:
        parcel.name = str(labels.get("app.kubernetes.io/part-of", ""))
    parcel.documents.append(one)
    if one.kind not in WORKLOADS:
        _finish(about)


def _finish(about: Fields) -> None:
    about.peek("annotations")  # may repeat the whole document, secrets and all: never shown
    about.rest()


def labels_of(data: Mapping[str, Any], *way: str) -> dict[str, str]:
    """A map of texts somewhere below; empty where there is none."""
    found: Any = data
    for key in way:
        found = found.get(key) if isinstance(found, dict) else None
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}

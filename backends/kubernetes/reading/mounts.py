"""Volumes and what is mounted of them: named volumes, memory, and the files of ConfigMaps and Secrets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backends.contract.documents import Loc
from backends.kubernetes.reading.amounts import file_mode, label, memory
from backends.kubernetes.reading.fields import Fields, Report
from backends.kubernetes.reading.parcel import Document
from backends.kubernetes.reading.programs import Target

Declared = dict[str, dict[str, Any]]  # volumes, configs and secrets of the specification by their names
_MOST = 60  # of a kind are looked at; far fewer are allowed, so what is beyond changes nothing
_OWN = ("emptyDir", "persistentVolumeClaim", "configMap", "secret")


@dataclass(frozen=True)
class Asked:
    """How large a volume is to be, as it is written, and where that stands."""

    size: object
    loc: Loc

    def volume(self, name: str, report: Report) -> dict[str, Any]:
        """The volume as a specification declares it."""
        if self.size is None:
            return {}
        report.origins["volumes", name, "x-berth", "size"] = self.loc
        return {"x-berth": {"size": self.size}}


class Mounts:
    """`claims`: templates of volumes that each instance has of its own, by their names."""

    def __init__(self, target: Target, declared: Declared, claims: dict[str, tuple[Fields, Asked]]) -> None:
        self.target, self.declared, self.claims = target, declared, claims
        self.found: dict[str, list[Any]] = {"volumes": [], "tmpfs": [], "configs": [], "secrets": []}

    def read(self, pod: Fields, container: Fields) -> None:
        volumes = {name: one for one in pod.each("volumes", "volume") if (name := self._name(one))}
        mounts = container.each("volumeMounts", "mount")
        used = {mount.scalar("name") for mount in mounts}
        for mount in mounts:
            name = mount.scalar("name")
            if name in self.claims:
                kept = self._declared(str(name), *self.claims[str(name)])
                self._keep(mount, "volumes", self._volume(mount, kept))
            elif name in volumes:
                self._mount(mount, volumes[name])
            else:
                mount.tell("no_volume", name=name or "-")
        for name, volume in volumes.items():
            self._told(volume, unused=name not in used)
        for mount in mounts:
            mount.rest("mountPath", "readOnly", "subPath")
        for key, entries in self.found.items():
            if entries:
                self.target.put(container, key, entries, below=("volumeMounts",))

    def _name(self, volume: Fields) -> str:
        name = volume.peek("name")
        if not isinstance(name, str):
            volume.tell("not_text", "name")
            return ""
        return name

    def _told(self, volume: Fields, *, unused: bool) -> None:
        for key in _OWN:
            if volume.peek(key) is not None and unused:
                volume.tell("not_needed", key)
        volume.rest()

    def _mount(self, mount: Fields, volume: Fields) -> None:
        readers: dict[str, Callable[[Fields, Fields], None]] = {
            "emptyDir": self._memory, "persistentVolumeClaim": self._claim,
            "configMap": self._files, "secret": self._files,
        }  # fmt: skip
        for kind, read in readers.items():
            if isinstance(volume.data.get(kind), dict):
                read(mount, volume)
                return

    def _keep(self, mount: Fields, key: str, entry: object) -> None:
        if len(self.found[key]) > _MOST:
            return
        self.target.came(mount, (), key, len(self.found[key]))
        self.found[key].append(entry)

    def _volume(self, mount: Fields, name: str) -> dict[str, object]:
        if "subPath" in mount:
            mount.tell("part_of_volume", "subPath")
        read_only = mount.peek("readOnly")
        kept = {"read_only": read_only} if read_only not in (None, False) else {}
        return {"type": "volume", "source": name, "target": mount.take("mountPath"), **kept}

    def _declared(self, name: str, fields: Fields, asked: Asked | None = None) -> str:
        kept = label(name)
        if kept not in self.declared["volumes"]:
            fields.tell("empty_volume", name=kept)
            self.declared["volumes"][kept] = asked.volume(kept, fields.report) if asked else {}
        return kept

    def _claim(self, mount: Fields, volume: Fields) -> None:
        claim = volume.below("persistentVolumeClaim")
        name = claim.peek("claimName")
        read_only = claim.peek("readOnly")
        entry = self._volume(mount, self._declared(str(name), claim))
        self._keep(mount, "volumes", entry | ({"read_only": read_only} if read_only else {}))
        claim.rest()

    def _memory(self, mount: Fields, volume: Fields) -> None:
        empty = volume.below("emptyDir")
        if empty.peek("medium") != "Memory":
            volume.tell("in_memory", "emptyDir")
        if "subPath" in mount:
            mount.tell("part_of_volume", "subPath")
        size = empty.take("sizeLimit")
        options = {"tmpfs": {"size": memory(size)}} if size is not None else {}
        path = mount.take("mountPath")
        plain = isinstance(path, str) and ":" not in path and isinstance(size, int | str | None)
        if plain:
            self._keep(mount, "tmpfs", path if size is None else f"{path}:size={memory(size)}")
        else:
            self._keep(mount, "volumes", {"type": "tmpfs", "target": path, **options})
        empty.rest()

    def _files(self, mount: Fields, volume: Fields) -> None:
        kind, key, named = ("ConfigMap", "configMap", "name")
        if "secret" in volume:
            kind, key, named = ("Secret", "secret", "secretName")
        source = volume.below(key)
        held = self.target.parcel.find(kind, source.scalar(named))
        if held is None:
            optional = source.peek("optional") is True
            source.tell("no_source_optional" if optional else "no_source", name=source.scalar(named) or "-")
        else:
            held.used.add("file")
            mode = source.take("defaultMode") if "defaultMode" in source else None
            for file, below, own in islice(self._chosen(mount, source, held), _MOST):
                self._file(mount, held, file, below, mode if own is None else own)
        for name in ("items", "optional", "defaultMode"):
            source.peek(name)
        source.rest()

    def _chosen(self, mount: Fields, source: Fields, held: Document) -> Iterator[tuple[str, str, object]]:
        """Key, path below the mount ("" for the mount itself) and mode of each file."""
        items = source.each("items", "item")
        files = [(one.scalar("key"), one.scalar("path"), one.peek("mode")) for one in items]
        for one in items:
            one.rest()
        whole: list[tuple[Any, Any, Any]] = files or [(key, key, None) for key in held.texts]
        part = mount.scalar("subPath")
        for key, path, mode in whole:
            if key not in held.texts:
                source.tell("no_source", name=f"{held.name}/{key}")
            elif part is None:
                yield str(key), str(path), mode
            elif path == part:
                yield str(key), "", mode
        if part is not None and part not in [path for _key, path, _mode in whole]:
            mount.tell("no_source", "subPath", name=f"{held.name}/{part}")

    def _file(self, mount: Fields, held: Document, key: str, below: str, mode: object) -> None:
        kept, name = ("secrets" if held.kind == "Secret" else "configs"), held.file(key)
        path = mount.take("mountPath")
        target = f"{str(path).rstrip('/')}/{below}" if below else path
        self._keep(
            mount, kept, {"source": name, "target": target, **({} if mode is None else {"mode": file_mode(mode)})}
        )
        declare(self.declared, held, key)


def declare(declared: Declared, held: Document, key: str) -> None:
    """A file of a ConfigMap with its text; of a Secret with its name alone."""
    name = held.file(key)
    if held.kind == "Secret":
        if name not in declared["secrets"]:
            held.fields.tell("value_elsewhere", name=name)
        declared["secrets"][name] = {"external": True}
        return
    declared["configs"][name] = {"content": held.texts[key]}
    held.fields.report.origins["configs", name] = (*held.loc, "data", key)

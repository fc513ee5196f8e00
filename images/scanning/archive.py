"""An image as one tar file, as `docker save` writes it or as an OCI layout. Nothing of it is put on a disk."""

import hashlib
import json
import posixpath
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any

from images.scanning.limits import Limits
from images.scanning.problems import ScanProblem

MOST_MEMBERS = 20_000
MOST_HOPS = 8
PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
DIGEST = re.compile(r"sha256:([0-9a-f]{64})\Z")
HEX = re.compile(r"(?:^|/)([0-9a-f]{64})(?:\.json)?\Z")


class StrictHeader(tarfile.TarInfo):
    """A damaged header is an error. The library takes it for the end, and would leave the rest unseen."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> "StrictHeader":
        try:
            found = super().fromtarfile(tarfile)
        except (_InvalidHeader, _TruncatedHeader) as error:
            raise tarfile_damaged() from error
        if found.size < 0:  # leads back to where we were
            raise tarfile_damaged()
        return found


_InvalidHeader: type[Exception] = tarfile.InvalidHeaderError  # type: ignore[attr-defined]  # typeshed leaves it out
_TruncatedHeader: type[Exception] = tarfile.TruncatedHeaderError  # type: ignore[attr-defined]


def tarfile_damaged() -> tarfile.ReadError:
    return tarfile.ReadError("damaged header")


@dataclass(frozen=True)
class Layer:
    """One layer, lowest is number 1. `open` gives its bytes as they lie in the archive."""

    number: int
    diff_id: str
    open: Callable[[], IO[bytes]]
    file: str = ""  # its name in the archive


@dataclass(frozen=True)
class Image:
    """What is to be scanned. `digests`: every digest by which it may be known."""

    layers: tuple[Layer, ...]
    config: dict[str, Any]
    digests: tuple[str, ...]
    names: tuple[str, ...] = ()
    history: tuple[str, ...] = field(default=())  # the command behind each layer; may be shorter
    config_file: str = ""  # its name in the archive

    @property
    def platform(self) -> str:
        parts = [self.config.get(key) for key in ("os", "architecture", "variant")]
        return "/".join(part for part in parts if isinstance(part, str) and part)


class Archive:
    """Finds things in the tar file by name, following its links inside of it."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self.limits = limits
        self.members: dict[str, tarfile.TarInfo] = {}
        refuse_packed(file)
        try:
            self.tar = tarfile.TarFile(fileobj=file, mode="r", tarinfo=StrictHeader)
            self._gather()
        except (tarfile.TarError, EOFError, OverflowError, ValueError, OSError) as error:
            raise ScanProblem("archive_unreadable") from error

    def _gather(self) -> None:
        before = -1
        while (member := self.tar.next()) is not None:
            if member.offset <= before:  # a size below zero leads back to where we were
                raise ScanProblem("archive_unreadable")
            before = member.offset
            if len(self.members) >= MOST_MEMBERS:
                raise ScanProblem("archive_too_many", most=MOST_MEMBERS)
            self.members[inside(member.name)] = member
            forget(self.tar)

    def __contains__(self, name: str) -> bool:
        return inside(name) in self.members

    def find(self, name: str) -> tarfile.TarInfo:
        """The file of this name; links lead only to other things in this archive."""
        path = inside(name)
        for _hop in range(MOST_HOPS):
            member = self.members.get(path)
            if member is None:
                raise ScanProblem("archive_missing", name=path)
            if member.isreg():
                return member
            if not (member.issym() or member.islnk()):
                raise ScanProblem("archive_missing", name=path)
            base = posixpath.dirname(path) if member.issym() else ""
            path = inside(posixpath.join(base, member.linkname))
        raise ScanProblem("archive_link_loop", name=inside(name))

    def open(self, name: str) -> IO[bytes]:
        opened = self.tar.extractfile(self.find(name))
        if opened is None:
            raise ScanProblem("archive_missing", name=name)
        return opened

    def document(self, name: str, *, digest: str = "") -> Any:
        """A JSON document; with `digest`, only if it is the one that this names."""
        member = self.find(name)
        if member.size > self.limits.document_bytes:
            raise ScanProblem("document_too_large", name=name, most=self.limits.document_bytes)
        try:
            raw = self.open(name).read()
            if digest and "sha256:" + hashlib.sha256(raw).hexdigest() != digest:
                raise ScanProblem("archive_digest", name=name)
            return json.loads(raw)
        except (ValueError, RecursionError, tarfile.TarError) as error:
            raise ScanProblem("document_broken", name=name) from error


def forget(tar: tarfile.TarFile) -> None:
    """The library keeps every entry it has read, which for a million of them is a lot."""
    tar.members = []  # type: ignore[attr-defined]  # typeshed leaves it out


def refuse_packed(file: IO[bytes]) -> None:
    start = file.read(6)
    file.seek(0)
    for mark, name in PACKED.items():
        if start.startswith(mark):
            raise ScanProblem("archive_packed", packing=name)


def inside(name: str) -> str:
    """A name as a plain path below the root; what climbs out of it stays at the root and so finds nothing."""
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/")


def of_type(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise ScanProblem("document_broken", name=name)
    return value


def image_in(archive: Archive, *, name: str = "", platform: str = "") -> Image:
    """The one image of the archive, or the one of that name and platform."""
    if "index.json" in archive:
        return _of_layout(archive, name=name, platform=platform)
    if "manifest.json" in archive:
        return _of_docker(archive, name=name)
    raise ScanProblem("archive_no_image")


def _of_docker(archive: Archive, *, name: str) -> Image:
    entries = [of_type(one, dict, "manifest.json") for one in of_type(archive.document("manifest.json"), list, "")]
    named = [(one, tuple(tag for tag in one.get("RepoTags") or () if isinstance(tag, str))) for one in entries]
    fitting = [(one, tags) for one, tags in named if not name or name in tags]
    entry, tags = _the_one(fitting, [tag for _one, tags in named for tag in tags], name)
    config_name = of_type(entry.get("Config"), str, "manifest.json")
    found = HEX.search(config_name)
    digest = f"sha256:{found[1]}" if found else ""
    config = of_type(archive.document(config_name, digest=digest), dict, config_name)
    files = [of_type(one, str, "manifest.json") for one in of_type(entry.get("Layers"), list, "manifest.json")]
    return _image(archive, files, config, config_name, digests=(digest,) if digest else (), names=tags)


def _of_layout(archive: Archive, *, name: str, platform: str) -> Image:
    index = of_type(archive.document("index.json"), dict, "index.json")
    found = [one for one in _manifests(archive, index, depth=0) if _fits(one, platform)]
    names = [title for one in found if (title := _title(one))]
    fitting = [one for one in found if not name or _title(one) == name]
    if len(fitting) > 1 and not platform:  # one image for several kinds of machine: the usual one
        fitting = [one for one in fitting if _platform(one) in {"linux/amd64", ""}] or fitting
    chosen = _the_one(fitting, names or [_platform(one) for one in found], name or platform)
    digest = of_type(chosen.get("digest"), str, "index.json")
    manifest = of_type(archive.document(blob(digest), digest=digest), dict, digest)
    config_digest = of_type(of_type(manifest.get("config"), dict, digest).get("digest"), str, digest)
    config = of_type(archive.document(blob(config_digest), digest=config_digest), dict, config_digest)
    layers = [of_type(one, dict, digest) for one in of_type(manifest.get("layers"), list, digest)]
    files = [blob(of_type(one.get("digest"), str, digest)) for one in layers]
    title = _title(chosen)
    named, known = (title,) if title else (), (digest, config_digest)
    return _image(archive, files, config, blob(config_digest), digests=known, names=named)


def _manifests(archive: Archive, index: dict[str, Any], *, depth: int) -> Iterator[dict[str, Any]]:
    """Manifests of an index and of the indexes in it. Notes about how an image was built are no images."""
    if depth > 3:
        raise ScanProblem("archive_link_loop", name="index.json")
    for one in of_type(index.get("manifests"), list, "index.json")[:1000]:
        entry = of_type(one, dict, "index.json")
        kind = str(entry.get("mediaType", ""))
        if kind.endswith(("image.index.v1+json", "manifest.list.v2+json")):
            digest = of_type(entry.get("digest"), str, "index.json")
            below = of_type(archive.document(blob(digest), digest=digest), dict, digest)
            title = entry.get("annotations") or {}
            yield from ({"annotations": title, **each} for each in _manifests(archive, below, depth=depth + 1))
        elif _platform(entry) != "unknown/unknown":
            yield entry


def _fits(entry: dict[str, Any], platform: str) -> bool:
    return not platform or _platform(entry) in {platform, ""}


def _platform(entry: dict[str, Any]) -> str:
    known = entry.get("platform")
    if not isinstance(known, dict):
        return ""
    return "/".join(str(known[key]) for key in ("os", "architecture", "variant") if known.get(key))


def _title(entry: dict[str, Any]) -> str:
    notes = entry.get("annotations")
    notes = notes if isinstance(notes, dict) else {}
    return str(notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name") or "")


def _the_one(fitting: list[Any], names: list[str], wanted: str) -> Any:
    if not fitting:
        raise ScanProblem("archive_no_such_image" if wanted else "archive_no_image", wanted=wanted, names=names[:20])
    if len(fitting) > 1:
        raise ScanProblem("archive_many_images", names=names[:20])
    return fitting[0]


def blob(digest: str) -> str:
    found = DIGEST.match(digest)
    if found is None:
        raise ScanProblem("archive_missing", name=digest[:100])
    return f"blobs/sha256/{found[1]}"


def _image(
    archive: Archive,
    files: list[str],
    config: dict[str, Any],
    config_file: str,
    *,
    digests: tuple[str, ...],
    names: tuple[str, ...],
) -> Image:
    if len(files) > archive.limits.layers:
        raise ScanProblem("too_many_layers", count=len(files), most=archive.limits.layers)
    root = config.get("rootfs")
    diff_ids = root.get("diff_ids") if isinstance(root, dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(files) or not all(isinstance(d, str) for d in diff_ids):
        raise ScanProblem("archive_layers_differ", count=len(files))
    for file in files:
        archive.find(file)
    layers = tuple(
        Layer(number, diff_id, partial(archive.open, file), file)
        for number, (file, diff_id) in enumerate(zip(files, diff_ids, strict=True), 1)
    )
    return Image(layers, config, digests, names, tuple(commands(config)), config_file)


def commands(config: dict[str, Any]) -> Iterator[str]:
    """The command that made each layer, lowest first; steps that made none are left out."""
    history = config.get("history")
    for one in history if isinstance(history, list) else []:
        if isinstance(one, dict) and not one.get("empty_layer"):
            yield str(one.get("created_by") or "")

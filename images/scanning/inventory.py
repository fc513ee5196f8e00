"""What is in an image: its layers laid over each other as an engine does it, without writing any of them down."""

import tarfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from zstandard import ZstdError

from images.scanning import release, secrets
from images.scanning.archive import Image, Layer
from images.scanning.limits import Budget, Limits
from images.scanning.packages import apk, dpkg, golang, java, npm, others, python, rpm
from images.scanning.packages.package import Package, Unread, plain
from images.scanning.problems import ScanProblem
from images.scanning.unpacking import Member, members

WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
SPECIAL_BITS = {0o4000: "setuid", 0o2000: "setgid"}
LISTS = {dpkg.STATUS, *apk.INSTALLED, *(folder + rpm.SQLITE for folder in rpm.FOLDERS)}
ON_THE_WAY = LISTS | {"var", "var/lib", "var/lib/dpkg", "var/lib/dpkg/status.d", "lib/apk", "lib/apk/db"}
SMALL = 64 * 1024
MOST_NOTES = 500


@dataclass(slots=True)
class Finding:
    """What one file tells. A later layer may replace or remove it."""

    layer: int
    packages: list[Package] = field(default_factory=list)
    problem: str = ""  # why it could not be read
    system: dict[str, str] = field(default_factory=dict)
    licence: tuple[str, str] = ("", "")  # of the package of this name
    owned: set[str] = field(default_factory=set)
    bits: str = ""
    secrets: list[str] = field(default_factory=list)
    other: str = ""  # a kind of packages that is not read

    def __bool__(self) -> bool:
        told = (self.packages, self.problem, self.system, self.licence[0], self.owned, self.bits, self.secrets)
        return any(told) or bool(self.other)


class Over:
    """What a layer takes away from those below it, and what it brings."""

    def __init__(self, below: dict[str, Finding]) -> None:
        self.below = below
        self.points = {ancestor for path in below for ancestor in with_ancestors(path)}
        self.own: dict[str, Finding] = {}
        self.gone: set[str] = set()
        self.hidden: set[str] = set()  # folders of which only this layer's own contents count

    def takes(self, member: Member) -> bool:
        """Whether it is a file to look at; signs of removal and folders are noted."""
        folder, slash, name = member.path.rpartition("/")
        if name == OPAQUE:
            self.hidden.add(folder)
        elif name.startswith(WHITEOUT):
            self.gone.add(folder + slash + name.removeprefix(WHITEOUT))
        elif member.info.isdir():
            if member.path in self.below:  # a folder in the place of a file
                self.gone.add(member.path)
        else:
            if member.path in self.points:  # a file in the place of a file, or of a folder with all that is in it
                self.gone.add(member.path)
            return True
        return False

    def covers(self, path: str) -> bool:
        """Whether this layer took a path away, or one of the folders it is in."""
        if not self.gone and not self.hidden:
            return False
        each = list(with_ancestors(path))
        return any(one in self.gone for one in each) or any(one in self.hidden for one in [*each[1:], ""])


class Inventory:
    """Goes through an image, lowest layer first."""

    def __init__(self, image: Image, limits: Limits) -> None:
        self.image, self.limits = image, limits
        self.budget = Budget(limits)
        self.found: dict[str, Finding] = {}
        self.buried: list[tuple[str, Finding]] = []  # secrets that a later layer covers and everybody can dig out
        self.sizes: list[int] = []
        self.readers = self._readers()

    def gather(self) -> dict[str, Any]:
        for layer in self.image.layers:
            self.lay(layer)
        return self.told()

    def told(self) -> dict[str, Any]:
        return Told(self).as_json()

    def lay(self, layer: Layer) -> None:
        """Put one layer over those below it."""
        before = self.budget.unpacked
        self._lay(layer)
        self.sizes.append(self.budget.unpacked - before)

    def _lay(self, layer: Layer) -> None:
        below, over = self.found, Over(self.found)
        for member in members(layer, self.budget):
            if over.takes(member):
                over.own.pop(member.path, None)
                if finding := self._look(member, layer.number, below, over.own):
                    over.own[member.path] = finding
        kept = {path: one for path, one in below.items() if not over.covers(path)}
        self.buried += [(path, one) for path, one in below.items() if one.secrets and path not in kept]
        self._inherit(below, over.own)
        self.found = kept | over.own
        if sum(len(one.packages) for one in self.found.values()) > self.limits.packages:
            raise ScanProblem("too_many_packages", layer=layer.number, most=self.limits.packages)

    def _inherit(self, below: dict[str, Finding], own: dict[str, Finding]) -> None:
        """A list that was written anew: what stood there already came with the layer it first stood in."""
        for path in own.keys() & below.keys():
            since = {package.key: package.layer for package in below[path].packages}
            for package in own[path].packages:
                package.layer = since.get(package.key, package.layer)

    def _look(self, member: Member, layer: int, below: dict[str, Finding], own: dict[str, Finding]) -> Finding | None:
        info, path = member.info, member.path
        if info.islnk():  # the same file by a second name
            target = info.linkname.lstrip("/").removeprefix("./")
            return self._linked(own.get(target) or below.get(target), path, layer)
        if info.issym() and hides(path, info.linkname):
            return Finding(layer, problem="list_is_link")
        if not info.isreg():
            return None
        finding = Finding(layer, bits=special(info.mode))
        try:
            self._read(member, finding)
        except Unread as error:
            finding.problem = error.code
        except (tarfile.TarError, zlib.error, ZstdError, EOFError) as error:
            raise ScanProblem("layer_broken", layer=layer) from error
        for package in finding.packages:
            package.layer = layer
        return finding if finding else None

    def _linked(self, first: Finding | None, path: str, layer: int) -> Finding | None:
        """The same file by another name. Where its first name told nothing, its text is past and cannot be read."""
        if first is None or not (first.packages or first.problem or self._reader(path) is None):
            return Finding(layer, problem="list_is_link") if self._reader(path) else None
        packages = [replace(package, path=path, layer=layer) for package in first.packages]
        return replace(first, layer=layer, packages=packages)

    def _read(self, member: Member, finding: Finding) -> None:
        path, size = member.path, member.info.size
        reader = self._reader(path)
        if reader is not None:
            reader(member, finding)
        elif size > SMALL:
            with member.open() as file:
                told = golang.build_info(file)
            finding.packages = list(golang.packages(told, path)) if told else []
        elif secrets.looked_at(path, size):
            with member.open() as file:
                finding.secrets = secrets.kinds(path, file.read(secrets.LARGEST))

    def _reader(self, path: str) -> Callable[[Member, Finding], None] | None:
        """What reads a file of this path, if it is one that tells of packages."""
        return next((read for wants, read in self.readers if wants(path)), None)

    def _readers(self) -> Sequence[tuple[Callable[[str], Any], Callable[[Member, Finding], None]]]:
        return (
            (dpkg.is_status, self._lines(dpkg.packages)),
            (apk.INSTALLED.__contains__, self._apk),
            (lambda path: path.startswith(rpm.FOLDERS), self._rpm),
            (release.FILES.__contains__, self._release),
            (lambda path: path.endswith(java.ENDINGS), self._java),
            (python.wants, self._lines(python.packages)),
            (npm.wants, self._lines(npm.packages)),
            (dpkg.is_copyright, self._copyright),
            (others.kind, self._other),
        )

    def _lines(self, parse: Callable[[str, str], Iterable[Package]]) -> Callable[[Member, Finding], None]:
        def read(member: Member, finding: Finding) -> None:
            finding.packages = self._counted(parse(self._text(member), member.path))

        return read

    def _counted(self, packages: Iterable[Package]) -> list[Package]:
        found = list(islice(packages, self.limits.packages + 1))
        if len(found) > self.limits.packages:
            raise Unread("list_too_long")
        return found

    def _apk(self, member: Member, finding: Finding) -> None:
        text = self._text(member)
        finding.packages = self._counted(apk.packages(text, member.path))
        finding.owned = set(apk.owned(text))

    def _rpm(self, member: Member, finding: Finding) -> None:
        if member.name == rpm.SQLITE:
            database = whole(member, self.limits.database_bytes)
            finding.packages, finding.owned = rpm.packages(database, member.path, most=self.limits.packages)
        elif member.name == rpm.JOURNAL and member.info.size:
            raise Unread("rpm_journal")
        elif member.name in rpm.OTHERS and member.path.count("/") <= 4:
            raise Unread(rpm.OTHERS[member.name])

    def _release(self, member: Member, finding: Finding) -> None:
        finding.system = release.read(self._text(member))

    def _java(self, member: Member, finding: Finding) -> None:
        finding.packages = list(java.packages(whole(member, self.limits.archive_bytes), member.path))

    def _copyright(self, member: Member, finding: Finding) -> None:
        found = dpkg.COPYRIGHT.match(member.path)
        if found and member.info.size <= 4 * SMALL:
            finding.licence = (found[1], plain(dpkg.licences(self._text(member))))

    def _other(self, member: Member, finding: Finding) -> None:
        finding.other = others.kind(member.path)

    def _text(self, member: Member) -> str:
        return whole(member, self.limits.list_bytes).decode("utf-8", "replace")


def whole(member: Member, most: int) -> bytes:
    if member.info.size > most:
        raise Unread("list_too_long")
    with member.open() as file:
        return file.read(most)


def with_ancestors(path: str) -> Iterable[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def special(mode: int) -> str:
    return "+".join(name for bit, name in SPECIAL_BITS.items() if mode & bit)


def hides(path: str, target: str) -> bool:
    """Whether a link stands where a list of packages is looked for, so that it would lie unseen elsewhere."""
    if path == "var/lib/rpm":
        return not target.rstrip("/").endswith(("usr/lib/sysimage/rpm", "usr/share/rpm"))
    return path in ON_THE_WAY


class Told:
    """All of it as what the child process says."""

    def __init__(self, inventory: Inventory) -> None:
        self.image, self.limits = inventory.image, inventory.limits
        self.found, self.buried = inventory.found, inventory.buried
        self.sizes, self.unpacked = inventory.sizes, inventory.budget.unpacked

    def as_json(self) -> dict[str, Any]:
        return {
            "digests": list(self.image.digests),
            "names": list(self.image.names),
            "platform": self.image.platform,
            "layers": self._layers(),
            "system": self._system(),
            "packages": [package.as_json() for package in self._packages()],
            "special_files": self._special_files(),
            "secrets": self._secrets(),
            "notes": self._notes()[:MOST_NOTES],
            "unpacked_bytes": self.unpacked,
        }

    def _layers(self) -> list[dict[str, Any]]:
        history = [*self.image.history, *("" for _layer in self.image.layers)]
        return [
            {
                "number": layer.number,
                "diff_id": layer.diff_id,
                "unpacked_bytes": size,
                "command": plain(secrets.covered(history[layer.number - 1][:10_000])),
            }
            for layer, size in zip(self.image.layers, self.sizes, strict=True)
        ]

    def _system(self) -> dict[str, str]:
        return next((self.found[path].system for path in release.FILES if path in self.found), {})

    def _packages(self) -> list[Package]:
        """Each once, in the order of their names."""
        licences = dict(one.licence for one in self.found.values() if one.licence[0])
        owned = {path for one in self.found.values() for path in one.owned}
        debian = any(path.startswith("var/lib/dpkg/") for path, one in self.found.items() if one.packages)
        each: dict[tuple[str, str, str], Package] = {}
        for finding in self.found.values():
            for package in finding.packages:
                if package.kind == "deb":
                    package.licence = package.licence or licences.get(package.name, "")
                of_debian = debian and package.path.startswith(dpkg.PYTHON_OF_SYSTEM)
                if package.kind == "pypi" and (package.path in owned or of_debian):
                    package.standing = "system"
                first = each.setdefault(package.key, package)
                if first.standing and not package.standing:  # one that counts stands for them all
                    each[package.key] = package
        return sorted(each.values(), key=lambda package: package.key)

    def _special_files(self) -> list[dict[str, Any]]:
        files = [
            {"path": plain(path), "bits": one.bits, "layer": one.layer}
            for path, one in sorted(self.found.items())
            if one.bits
        ]
        return files[: self.limits.named]

    def _secrets(self) -> list[dict[str, Any]]:
        """Those in files, those that lie buried, and those in the image's own configuration."""
        there = [(path, one, False) for path, one in self.found.items() if one.secrets]
        there += [(path, one, True) for path, one in self.buried]
        found = [
            {"kind": kind, "path": plain(path), "layer": one.layer, "buried": buried}
            for path, one, buried in sorted(there, key=lambda each: (each[0], each[1].layer))
            for kind in one.secrets
        ]
        return (found + self._of_configuration())[: self.limits.named]

    def _of_configuration(self) -> list[dict[str, Any]]:
        config = self.image.config.get("config")
        given = config.get("Env") if isinstance(config, dict) else None
        names = secrets.variables(given[:1000] if isinstance(given, list) else ())
        found = [{"kind": "variable", "path": plain(name), "layer": 0, "buried": False} for name in names]
        for number, command in enumerate(self.image.history[: len(self.image.layers)], 1):
            if secrets.holds(command[:10_000]):
                found.append({"kind": "command", "path": "", "layer": number, "buried": False})
        return found

    def _notes(self) -> list[dict[str, Any]]:
        """What could not be looked at. Each of these makes a rating unknown."""
        notes = [
            {"code": one.problem, "path": plain(path), "layer": one.layer}
            for path, one in sorted(self.found.items())
            if one.problem
        ]
        counts: dict[str, int] = {}
        for one in self.found.values():
            if one.other:
                counts[one.other] = counts.get(one.other, 0) + 1
        notes += [{"code": "kind_not_read", "kind": kind, "count": count} for kind, count in sorted(counts.items())]
        return notes

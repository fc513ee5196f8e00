"""Which system an image is made of, and by which names advisories call it."""

import re
import shlex
from collections.abc import Iterable

FILES = ("etc/os-release", "usr/lib/os-release")
WANTED = {"ID", "VERSION_ID", "PRETTY_NAME", "ID_LIKE"}


def read(text: str) -> dict[str, str]:
    """The fields of os-release that matter."""
    found: dict[str, str] = {}
    for line in text.split("\n", 200)[:200]:
        key, equals, value = line.strip().partition("=")
        if equals and key in WANTED:
            try:
                words = shlex.split(value[:300])
            except ValueError:
                continue
            found[key.lower()] = " ".join(words)
    return found


def ecosystems(system: dict[str, str], known: Iterable[str]) -> list[str]:
    """Those of the known ecosystems whose advisories are about this system's packages."""
    name, version = system.get("id", ""), system.get("version_id", "")
    sign = pattern(name, version)
    return sorted(one for one in known if sign is not None and sign.fullmatch(one))


def pattern(name: str, version: str) -> re.Pattern[str] | None:
    major = re.escape(version.split(".")[0])
    minor = re.escape(".".join(version.split(".")[:2]))
    whole = re.escape(version)
    signs = {
        "debian": rf"Debian:{major}" if version else "",
        "ubuntu": rf"Ubuntu:{whole}(?::LTS)?" if version else "",
        "alpine": rf"Alpine:v{minor}" if version else "",
        "rocky": rf"Rocky Linux:{major}" if version else "",
        "almalinux": rf"AlmaLinux:{major}" if version else "",
        "rhel": rf"Red Hat:enterprise_linux:{major}(?:[.:].*)?" if version else "",
        "opensuse-leap": rf"openSUSE:Leap {whole}" if version else "",
        "opensuse-tumbleweed": "openSUSE:Tumbleweed",
        "sles": rf"SUSE:Linux Enterprise Server {_service_pack(version)}" if version else "",
        "openeuler": rf"openEuler:{whole}.*" if version else "",
        "mageia": rf"Mageia:{major}" if version else "",
        "azurelinux": rf"Azure Linux:{major}" if version else "",
        "wolfi": "Wolfi",
        "chainguard": "Chainguard",
    }
    found = signs.get(name, "")
    return re.compile(found) if found else None


def expected(system: dict[str, str]) -> str:
    """How the data that is missing would be called, for who is to import it."""
    sign = pattern(system.get("id", ""), system.get("version_id", ""))
    if sign is None:
        return ""
    return re.sub(r"\(\?:.*\)\?|\.\*", "", sign.pattern).replace("\\", "")


def _service_pack(version: str) -> str:
    major, _dot, pack = version.partition(".")
    return re.escape(major) + (rf" SP{re.escape(pack)}" if pack else "")

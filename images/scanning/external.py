"""Trivy and Grype, where one of them is installed: they read the same archive, and their JSON becomes our findings."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from images.scanning.advisories.osv import LEVELS, moment
from images.scanning.comparing import Comparison, merged
from images.scanning.looking import failed
from images.scanning.packages.package import plain

SECONDS = 900
MOST_SAID = 256 * 2**20
LAST_WORDS = 300
QUIET = {"GRYPE_DB_AUTO_UPDATE": "false", "GRYPE_CHECK_FOR_APP_UPDATE": "false"}
KINDS = {
    "debian": "deb",
    "ubuntu": "deb",
    "deb": "deb",
    "alpine": "apk",
    "wolfi": "apk",
    "apk": "apk",
    "python-pkg": "pypi",
    "python": "pypi",
    "node-pkg": "npm",
    "npm": "npm",
    "gobinary": "golang",
    "go-module": "golang",
    "jar": "maven",
    "java-archive": "maven",
}


@dataclass(frozen=True)
class Tool:
    """One program. `age`: what tells the age of its data, where its report does not."""

    name: str
    words: Callable[[Path], list[str]]
    read: Callable[[dict[str, Any]], Comparison]
    age: tuple[str, ...] = ()


def installed() -> Tool | None:
    """The first of the tools that this machine has."""
    return next((tool for tool in TOOLS if shutil.which(tool.name)), None)


def by_name(name: str) -> Tool | None:
    return next((tool for tool in TOOLS if tool.name == name), None)


def run(tool: Tool, archive: Path) -> Comparison:
    """Have the tool scan the archive with the data it has; it is asked to fetch nothing."""
    made = read(tool, _said(tool, tool.words(archive)))
    if tool.age and made.as_of is None:
        made.as_of = _age(_said(tool, tool.age))
        made.feeds = {tool.name: made.as_of}
    return made


def _said(tool: Tool, words: Sequence[str]) -> bytes:
    program = shutil.which(tool.name)
    if program is None:
        raise _tool_failed(tool, "it is not installed")
    env = {"PATH": os.defpath, "HOME": str(Path.home())} | QUIET
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        try:
            done = subprocess.run(  # noqa: S603  the words are ours, the archive is one of them
                [program, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complaints,
                env=env,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _tool_failed(tool, str(error)) from error
        if done.returncode != 0:
            complaints.seek(max(0, complaints.seek(0, 2) - LAST_WORDS))
            raise _tool_failed(tool, complaints.read().decode("utf-8", "replace"))
        said.seek(0)
        return said.read(MOST_SAID)


def _age(raw: bytes) -> datetime | None:
    try:
        told = json.loads(raw)
        return moment(told["VulnerabilityDB"]["UpdatedAt"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return None


def read(tool: Tool, raw: bytes) -> Comparison:
    """What the tool said, as findings. Raises Invalid where it is not what the tool documents."""
    try:
        return tool.read(json.loads(raw))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise _tool_failed(tool, "its answer is not what it documents") from error


def _tool_failed(tool: Tool, said: str) -> Exception:
    return failed({"code": "tool_failed", "params": {"tool": tool.name, "said": plain(said) or "it said nothing"}})


def _trivy_words(archive: Path) -> list[str]:
    still = ["--offline-scan", "--skip-db-update", "--skip-java-db-update"]
    return ["image", "--quiet", "--format", "json", "--scanners", "vuln", *still, "--input", str(archive)]


def _grype_words(archive: Path) -> list[str]:
    return ["--quiet", "--output", "json", str(archive)]


def _trivy(answer: dict[str, Any]) -> Comparison:
    made = Comparison()
    if "Results" not in answer and "ArtifactName" not in answer:
        raise ValueError("no report")
    layers = {one: number for number, one in enumerate(answer.get("Metadata", {}).get("DiffIDs") or (), 1)}
    for result in answer.get("Results") or ():
        kind = KINDS.get(str(result.get("Type", "")), "rpm" if result.get("Class") == "os-pkgs" else "")
        made.findings += [_of_trivy(one, kind, layers) for one in result.get("Vulnerabilities") or ()]
    made.findings = merged(made.findings)
    if not (answer.get("Metadata", {}).get("OS") or {}).get("Family"):
        made.doubts = [{"code": "tool_no_system", "tool": "trivy"}]
    return made


def _of_trivy(one: dict[str, Any], kind: str, layers: dict[str, int]) -> dict[str, Any]:
    return {
        "vulnerability": plain(one["VulnerabilityID"]),
        "ids": [plain(text) for text in (one["VulnerabilityID"], *(one.get("VendorIDs") or ()))],
        "package": plain(one["PkgName"]),
        "version": plain(one.get("InstalledVersion", "")),
        "kind": kind,
        "severity": level(one.get("Severity", "")),
        "score": max(_trivy_scores(one), default=None),
        "fixed": plain(one.get("FixedVersion", "")),
        "summary": plain(one.get("Title", "")),
        "path": plain(one.get("PkgPath", "")),
        "layer": layers.get((one.get("Layer") or {}).get("DiffID", ""), 0),
    }


def _trivy_scores(one: dict[str, Any]) -> Iterator[float]:
    for told in (one.get("CVSS") or {}).values():
        yield from (float(told[key]) for key in ("V3Score", "V40Score") if key in told)


def _grype(answer: dict[str, Any]) -> Comparison:
    made = Comparison()
    layers = {one["digest"]: number for number, one in enumerate(_grype_layers(answer), 1)}
    made.findings = merged(_of_grype(one, layers) for one in answer["matches"])
    if not (answer.get("distro") or {}).get("name"):
        made.doubts = [{"code": "tool_no_system", "tool": "grype"}]
    built = _grype_data(answer)
    if built:
        made.feeds["grype"] = made.as_of = built
    return made


def _grype_layers(answer: dict[str, Any]) -> list[dict[str, Any]]:
    target = (answer.get("source") or {}).get("target")
    return (target.get("layers") or []) if isinstance(target, dict) else []


def _grype_data(answer: dict[str, Any]) -> datetime | None:
    """When its database was built: newer versions say it one level deeper."""
    data = (answer.get("descriptor") or {}).get("db") or {}
    return moment(data.get("built") or (data.get("status") or {}).get("built"))


def _of_grype(one: dict[str, Any], layers: dict[str, int]) -> dict[str, Any]:
    told, artifact = one["vulnerability"], one["artifact"]
    place: dict[str, Any] = next(iter(artifact.get("locations") or ()), {})
    related = [each["id"] for each in one.get("relatedVulnerabilities") or ()]
    cves = [name for name in (told["id"], *related) if name.startswith("CVE-")]
    scores = [float(each["metrics"]["baseScore"]) for each in told.get("cvss") or ()]
    return {
        "vulnerability": plain(cves[0] if cves else told["id"]),
        "ids": [plain(name) for name in dict.fromkeys([told["id"], *related])],
        "package": plain(artifact["name"]),
        "version": plain(artifact.get("version", "")),
        "kind": KINDS.get(artifact.get("type", ""), plain(artifact.get("type", ""))),
        "severity": level(told.get("severity", "")),
        "score": max(scores, default=None),
        "fixed": plain(", ".join((told.get("fix") or {}).get("versions") or ())),
        "summary": plain(told.get("description", "")),
        "path": plain(place.get("path", "")),
        "layer": layers.get(place.get("layerID", ""), 0),
    }


def level(word: str) -> str:
    return word.lower() if word.lower() in LEVELS else "unknown"


TOOLS = (
    Tool("trivy", _trivy_words, _trivy, age=("version", "--format", "json")),
    Tool("grype", _grype_words, _grype),
)

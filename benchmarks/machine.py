"""The machine and the versions, without names or paths."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path

from launcher.commands import attempt

PACKAGES = ("django", "djangorestframework", "celery", "uvicorn", "channels", "docker")


def description() -> str:
    """A list for the head of the note."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"- processor: {processor()}, {os.cpu_count()} cores",
        f"- memory: {memory_gib():.0f} GiB",
        f"- system: {platform.system()} {platform.release()} ({distribution()})",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        f"- engine: {attempt(['dockerd', '--version']).stdout.strip() or 'none'}",
        f"- load averages when it began: {load}; figures on a busy machine are noisy, above all their tails",
    ]
    return "\n".join(lines)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown"


def memory_of(pid: int, field: str = "VmRSS") -> int:
    """Bytes of a process's memory: VmRSS now, VmHWM the most since `forget_peak`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc has no {field} for process {pid}")


def processor_seconds(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def forget_peak(pid: int) -> None:
    """Let VmHWM begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")

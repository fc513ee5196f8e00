"""Procfile, compose.yaml and the systemd units start the same processes, with words those programs know."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from launcher.paths import PYTHON, ROOT

PROCESSES = {"web", "sockets", "worker", "beat", "observer"}
COMPOSE: dict[str, Any] = YAML(typ="safe").load((ROOT / "compose.yaml").read_text())
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if not line.startswith("#")
)
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def command_of(unit: Path) -> str:
    line = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    return line.removeprefix("ExecStart=").replace("/opt/berth/.venv/bin/", "")


def test_the_same_processes_everywhere() -> None:
    assert set(PROCFILE) - {"release"} == PROCESSES
    assert set(COMPOSE["services"]) - {"prepare", "postgres", "redis"} == PROCESSES
    assert {unit.stem.removeprefix("berth-") for unit in UNITS} - {"prepare"} == PROCESSES


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_unit_does_what_the_procfile_says(name: str) -> None:
    unit = command_of(ROOT / "deploy" / "systemd" / f"berth-{name}.service")
    assert plain(unit) == plain(PROCFILE[name])


def plain(command: str) -> list[str]:
    """The words of a command, each variable as `$`."""
    return [re.sub(r"\$\{\w+(?::-[^}]*)?\}", "$", word) for word in shlex.split(command)]


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_the_programs_know_these_options(name: str) -> None:
    program, *words = shlex.split(PROCFILE[name])
    if program == "python":
        asked, options = [str(PYTHON), *words[:2], "--help"], []
    else:
        before = words[:3] if program == "celery" else []
        asked = [str(PYTHON.parent / program), *before, "--help"]
        options = [word for word in words if word.startswith("--")]
    env = {
        "PATH": "/usr/bin:/bin",
        "SECRET_KEY": "s" * 50,
        "FIELD_KEYS": "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    }
    told = subprocess.run(asked, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert not [option for option in options if option not in told]


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd")
    for unit in [*UNITS, ROOT / "deploy" / "systemd" / "berth.target"]:
        text = unit.read_text().replace("/opt/berth", str(ROOT)).replace("=berth\n", "=root\n")
        (tmp_path / unit.name).write_text(text)
    words = ["systemd-analyze", "verify", *[str(path) for path in sorted(tmp_path.iterdir())]]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "berth" in line.split(":")[0]]
    assert not ours


def test_every_variable_of_the_settings_is_explained() -> None:
    settings = "".join((ROOT / "portal" / name).read_text() for name in ("settings.py", "environment.py"))
    read = set(re.findall(r"""(?:env\.\w+|env|secret_from|\w+_from)\(\s*"([A-Z_]+)\"""", settings))
    example = (ROOT / ".env.example").read_text()
    assert len(read) > 8
    assert not {name for name in read if not re.search(rf"^#? ?{name}=", example, re.MULTILINE)}


def test_the_image_runs_as_somebody_without_rights_and_tells_its_health() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] == ["berth"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)

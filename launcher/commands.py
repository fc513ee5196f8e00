"""Run other programs to their end, always as a list of words and never through a shell's parser."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher.problems import Problem


def find(name: str) -> str | None:
    """The path of a program; looks in the sbin folders too, which are not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")


def run(
    words: Sequence[str],
    *,
    text: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program, give back its standard output; raise `Problem` with its last words if it fails."""
    done = attempt(words, text=text, env=env, cwd=cwd)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or "it said nothing"
        raise Problem(f"“{' '.join(words)}” failed with exit code {done.returncode}: {said[-2000:]}")
    return done.stdout


def attempt(
    words: Sequence[str],
    *,
    text: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program whose failure is an answer too. A missing program is exit code 127."""
    program = find(words[0])
    if program is None:
        return subprocess.CompletedProcess(list(words), 127, "", f"{words[0]} is not installed")
    return subprocess.run(
        [program, *words[1:]],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        check=False,
    )

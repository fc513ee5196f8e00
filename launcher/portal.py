"""The portal's own processes: `manage.py` with the right environment, and the server."""

import http.client
import json
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from launcher.commands import attempt
from launcher.engine_choice import Choice
from launcher.keys import make_keys
from launcher.network import own_addresses
from launcher.paths import PYTHON, ROOT, State
from launcher.problems import Problem
from launcher.processes import Mark, rotate, spawn, until

READY_SECONDS = 60.0
ATTACHED = "kubernetes"  # what a cluster that --kubeconfig names is called
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- looked up, not bound


@dataclass(frozen=True)
class Place:
    """Where the portal listens. `also`: one more address, for engines that do not reach the first."""

    host: str
    port: int
    also: str = ""

    @property
    def reach(self) -> str:
        """A host name under which this machine reaches it."""
        return EVERYWHERE.get(self.host, self.host)

    @property
    def url(self) -> str:
        return f"http://{f'[{self.reach}]' if ':' in self.reach else self.reach}:{self.port}/"

    @property
    def seen_by_engines(self) -> str:
        """As `url`, at the address that engines reach."""
        return f"http://{self.also}:{self.port}/" if self.also else self.url

    def refuse_if_taken(self) -> None:
        """Raise `Problem` if nothing can listen here."""
        try:
            family, kind, number, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with closing(socket.socket(family, kind, number)) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except socket.gaierror as error:
            raise Problem(f"“{self.host}” is not an address of this machine.", hint="Choose another --host.") from error
        except PermissionError as error:
            raise Problem(
                f"Port {self.port} is only for root.", hint="Choose a --port above 1023, such as --port 8000."
            ) from error
        except OSError as error:
            raise Problem(
                f"Nothing can listen at {self.host} port {self.port}: {error.strerror}.",
                hint="Choose another --port (or --host), or end what uses it.",
            ) from error

    def healthy(self) -> bool:
        """Whether the portal answers that it is well."""
        with closing(http.client.HTTPConnection(self.reach, self.port, timeout=5)) as connection:
            try:
                connection.request("GET", "/healthz", headers={"Host": "localhost"})
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False


def environment(state: State, *, place: Place | None = None) -> dict[str, str]:
    """The environment of every `manage.py` call."""
    own = os.environ | {"BERTH_STATE": str(state.folder), "PYTHONUNBUFFERED": "1"}
    for name in ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONHOME"):
        own.pop(name, None)
    if place and place.host not in {"127.0.0.1", "localhost", "::1"} and "ALLOWED_HOSTS" not in own:
        names = [place.host] if place.host not in EVERYWHERE else [socket.gethostname(), *own_addresses()]
        own["ALLOWED_HOSTS"] = ",".join(dict.fromkeys([*LOCAL_NAMES, *names]))
    if place and place.also:
        own["ALLOWED_HOSTS"] = ",".join([own.get("ALLOWED_HOSTS") or ",".join(LOCAL_NAMES), place.also])
    return own


def prepare(
    state: State,
    *,
    engine: Choice,
    samples: Mapping[str, Mapping[str, Any]],
    cast: bool = False,
    kubeconfig: Path | None = None,
) -> dict[str, Any]:
    """Migrate and seed by `manage.py prepare`; gives back its last line. `samples`: images with what they say of
    themselves; those that hosts hold are offered.

    In it: owner, password or None, cast; of the cluster of a kubeconfig `attached`, or `refused` with the reason.
    """
    words = ["prepare", f"--engine-url={engine.url}", f"--engine-address={engine.address}"]
    words += [f"--engine-note={engine.code or engine.note}", *(["--cast"] if cast else [])]
    words += ["--engine-builds"] if engine.private else []
    words += [*(["--attach", ATTACHED, str(kubeconfig)] if kubeconfig else []), f"--facts={json.dumps(samples)}"]
    words += ["--samples", *samples]
    done = attempt([str(PYTHON), "manage.py", *words], env=environment(state), cwd=ROOT)
    if done.returncode != 0:
        raise Problem(f"The database could not be prepared: {(done.stderr or done.stdout).strip()[-2000:]}")
    try:
        said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise Problem(f"“manage.py prepare” did not say what it made: {done.stdout[-500:]}") from error
    return said


def kubeconfig_file(name: str) -> Path | None:
    """The file that --kubeconfig names; None where it names none. Raises `Problem` where there is no such file."""
    path = Path(name).expanduser().resolve() if name else None
    if path is not None and not path.is_file():
        raise Problem(f"There is no file {name}.", hint="Give --kubeconfig the path of a kubeconfig.")
    return path


def manage(words: Sequence[str], *, state: State) -> None:
    """Become `manage.py` with these words. Does not come back."""
    if not PYTHON.exists():
        raise Problem("Berth is not installed yet.", hint="Run ./berth up once.")
    state.prepare()
    make_keys(state.keys)  # every command reads the settings, which want the keys
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), "manage.py", *words], environment(state))  # noqa: S606 -- no shell is wanted


class Server:
    """The one process that serves pages and does the work behind them."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.mark_file = state.run / "serve.mark"
        self.place_file = state.run / "serve.json"
        self.log = state.logs / "serve.log"

    def start(self, place: Place) -> Mark:
        """Start serving; comes back once the portal answers, else raises `Problem` with the log's end."""
        rotate(self.log)
        with self.log.open("ab") as log:
            words = [str(PYTHON), "manage.py", "serve", "--host", place.host, "--port", str(place.port)]
            words += ["--also", place.also] if place.also else []
            started = spawn(words, log=log, env=environment(self.state, place=place), cwd=ROOT)
        mark = Mark.of(started.pid)
        if mark:
            mark.save(self.mark_file)
            self.place_file.write_text(json.dumps(asdict(place)))
            until(lambda: place.healthy() or started.poll() is not None, seconds=READY_SECONDS, every=0.05)
        if mark is None or started.poll() is not None:
            raise Problem(f"The portal ended at once: {self.last_words()}", hint=f"Its log is {self.log}.")
        if not place.healthy():
            self.stop()
            raise Problem(
                f"The portal did not answer within {READY_SECONDS:.0f} seconds.",
                hint=f"Its log is {self.log}.",
            )
        return mark

    def running(self) -> Mark | None:
        return Mark.load(self.mark_file)

    def place(self) -> Place | None:
        """Where it serves, as it was started."""
        try:
            return Place(**json.loads(self.place_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def stop(self, *, grace_seconds: float = 15) -> bool:
        """End the server; False if none was running."""
        mark = self.running()
        if mark:
            mark.end(grace_seconds=grace_seconds)
        for file in (self.mark_file, self.place_file):
            file.unlink(missing_ok=True)
        return mark is not None

    def last_words(self) -> str:
        """The end of the server's log."""
        return tail(self.log)


def tail(log: Path, *, lines: int = 12) -> str:
    """The last lines of a log file."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "no log was written"

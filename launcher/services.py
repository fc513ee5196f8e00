"""A PostgreSQL and a Redis of one's own, on loopback with a password, for tests and benches."""

import os
import pwd
import secrets
import shutil
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from launcher.commands import attempt, find, run
from launcher.packages import way_out
from launcher.problems import Problem
from launcher.processes import Mark, spawn, until

START_SECONDS = 30.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    return answers_at("127.0.0.1", port)


def answers_at(host: str, port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_at(host: str, port: int) -> int:
    """The port if nobody listens there; 0 asks for any; 0 is also the answer where it is taken."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return 0
        return int(probe.getsockname()[1])


@dataclass
class PrivateRedis:
    """A redis-server that keeps nothing. `stop` and `start` keep its address, so faults can be tried."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    @property
    def mark_file(self) -> Path:
        return self.folder / "redis.mark"

    def start(self) -> str:
        """Start it and give back its URL."""
        if find("redis-server") is None:
            raise Problem("redis-server is not installed.", hint=way_out(["redis-server"]))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = self.folder / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'save ""\nappendonly no\ndir {self.folder}\n'
        )
        with (self.folder / "redis.log").open("ab") as log:
            started = spawn(["redis-server", str(config)], log=log)
        await_ready(started.pid, ready=lambda: listens(self.port), name="redis-server", mark_file=self.mark_file)
        return self.url

    def stop(self) -> None:
        """End it, as a person would."""
        mark = Mark.load(self.mark_file)
        if mark:
            mark.end(grace_seconds=5)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        mark = Mark.load(self.mark_file)
        if mark:
            mark.kill()


@dataclass
class PrivatePostgres:
    """A PostgreSQL cluster in a folder; run by user `postgres` when we are root, as it refuses root."""

    folder: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        return f"postgres://berth:{self.password}@127.0.0.1:{self.port}/berth"

    @property
    def mark_file(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.mark"

    def start(self) -> str:
        """Make the cluster on the first call, start it, give back its URL.

        All folders above `folder` must let user `postgres` pass.
        """
        fresh = not (self.folder / "PG_VERSION").exists()
        if fresh:
            self.create()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",  # a test's data need not outlive a power cut
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "120",
        }
        words = [*as_postgres(), program("postgres"), "-D", str(self.folder)]
        words += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            started = spawn(words, log=log)
        await_ready(started.pid, ready=self.ready, name="postgres", mark_file=self.mark_file)
        if fresh:
            env = os.environ | {"PGPASSWORD": self.password}
            run(
                [program("createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "berth", "berth"],
                env=env,
            )
        return self.url

    def ready(self) -> bool:
        """Whether it lets clients in; it listens somewhat earlier."""
        words = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return attempt(words).returncode == 0

    @property
    def log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    def create(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        secret = self.folder.parent / f"{self.folder.name}.password"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self.folder, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        words = [
            "--username=berth",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-sync",
        ]
        run([*as_postgres(), program("initdb"), "--pgdata", str(self.folder), "--locale=C.UTF-8", *words])
        secret.unlink()

    def stop(self) -> None:
        """End it in good order without waiting for clients."""
        mark = Mark.load(self.mark_file)
        if mark and mark.send(signal.SIGINT) and not mark.wait(seconds=20):
            mark.kill()

    def destroy(self) -> None:
        """Stop it and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def program(name: str) -> str:
    """A PostgreSQL program; Debian keeps them apart by version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    path = str(found[-1]) if found else find(name)
    if path is None:
        raise Problem("PostgreSQL is not installed.", hint=way_out(["postgresql"]))
    return path


def as_postgres() -> list[str]:
    """The words that change to user `postgres`, needed only for root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def await_ready(pid: int, *, ready: Callable[[], bool], name: str, mark_file: Path) -> None:
    """Note the process down and wait until it is ready; raise `Problem` if it ends or takes too long."""
    mark = Mark.of(pid)
    if mark:
        mark.save(mark_file)
        until(lambda: ready() or not mark.alive(), seconds=START_SECONDS)
    if mark is None or not mark.alive() or not ready():
        raise Problem(f"{name} did not start; its log lies beside {mark_file}.")

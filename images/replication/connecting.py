"""A registry elsewhere is asked before it is kept: whether it answers, and takes the user and password.

A request waits for it, since there is no row yet that an operation could be about; so it is bounded in time, and few
are asked at once.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from audit.commands import check_before
from core.access import Actor, check_unchanged
from core.errors import TooMany
from core.foreign import target
from core.secrets import Secret
from images.replication import services
from images.replication.address import checked, checked_host
from images.replication.models import RemoteRegistry
from images.replication.problems import RemoteProblem
from tenants.models import Project

SECONDS = 10.0
AT_ONCE = 4
RETRY_SECONDS = 5
_turns = threading.BoundedSemaphore(AT_ONCE)
PARTS = ("address", "signs_in_at", "user", "secret")


def add(actor: Actor, project: Project, *, name: str, **parts: Any) -> RemoteRegistry:
    """Keep a registry that answers. Errors: Invalid, RemoteAway, RemoteProblem, and core.foreign's Refused."""
    check_before(services.add_registry, actor, project)
    columns = _columns(parts)
    check(**columns)
    return services.add_registry(actor, project, name=name, **columns)


def renew(actor: Actor, row: RemoteRegistry, *, version: int | None = None, **parts: Any) -> RemoteRegistry:
    """Change what is given of it, once it answers so. A password goes to no other place than it was given for."""
    check_before(services.update_registry, actor, row)
    check_unchanged(row, version)
    kept = {name: getattr(row, name) for name in PARTS}
    columns = _columns(kept | parts)
    if "secret" not in parts and (columns["address"], columns["signs_in_at"]) != (row.address, row.signs_in_at):
        columns["secret"] = Secret("")
    check(**columns)
    return services.update_registry(actor, row, version=row.version, **columns)


def check_again(actor: Actor, row: RemoteRegistry) -> None:
    """Ask now. Errors: RemoteAway, RemoteProblem."""
    check_before(services.update_registry, actor, row)
    check(**{name: getattr(row, name) for name in PARTS})


def _columns(parts: dict[str, Any]) -> dict[str, Any]:
    secret = parts.get("secret") or Secret("")
    return {
        "address": checked(parts["address"]),
        "signs_in_at": checked_host(parts.get("signs_in_at", "")),
        "user": parts.get("user", "").strip(),
        "secret": secret if isinstance(secret, Secret) else Secret(secret),
    }


def check(*, address: str, signs_in_at: str, user: str, secret: Secret) -> None:
    """Errors: core.foreign.Refused, RemoteAway, RemoteProblem."""
    from images.replication.foreign import Foreign  # these two ask by a library that pages need not load
    from images.replication.talking import Registry

    for place in (address, f"{address.partition('://')[0]}://{signs_in_at}" if signs_in_at else address):
        target(f"{place}/v2/")
    there = Foreign(address, signs_in_at=signs_in_at, user=user, secret=secret or None, seconds=SECONDS)
    with _turn():
        try:
            Registry(there).answers()
        except RemoteProblem as error:
            if secret or error.code != "remote_refused":  # some let nobody in without a repository's name
                raise


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        message = _("Some registries are being checked just now.")
        raise TooMany(message, hint=_("Try again in a moment."), retry_after_seconds=RETRY_SECONDS)
    try:
        yield
    finally:
        _turns.release()

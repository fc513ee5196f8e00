"""Which role may do what, as one table of text: what tests/rules/role_matrix.txt must be.

After a change that is wanted, `.venv/bin/python -m tests.rules.matrix` writes it; the difference is what to review.
"""

import os
import secrets
import typing
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.rules.sources import service_modules

FILE = Path(__file__).parent / "role_matrix.txt"
WHERE = (("in dev", "dev", False), ("in test", "test", False), ("protected", "prod", True))


def requirements() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(command, permissions of which one suffices), one line for each kind of target that makes a difference."""
    from audit.commands import COMMANDS

    service_modules()  # imported, they have declared their commands
    for action, needs in sorted(COMMANDS.items()):
        if isinstance(needs, str):
            yield action, (needs,)
        else:
            yield from ((f"{action} {words}", needs(target)) for words, target in targets(needs))


def targets(needs: Callable[[Any], tuple[str, ...]]) -> Iterator[tuple[str, Any]]:
    """Unsaved rows of the kind that a permission function takes, one per stage."""
    from apps.models import AppEnvironment, Environment
    from apps.needs import needs_deploy
    from images.models import Excuse, Repository
    from operations.models import Operation
    from tenants.models import Project, Request, ReviewLine
    from tenants.requests.registry import KINDS

    kind = next(iter(typing.get_type_hints(needs).values()))
    if kind is Request:
        yield from ((f"of kind {name}", Request(kind=name)) for name in sorted(KINDS))
        return
    if kind is ReviewLine:
        yield from ((f"of {role}", ReviewLine(role=role)) for role in ("project.guest", "tenant.owner"))
        return
    if kind in {Repository, Excuse}:
        for words, tenant_id in (("of the platform", None), ("of a tenant", uuid.UUID(int=1))):
            repository = Repository(tenant_id=tenant_id)
            yield words, repository if kind is Repository else Excuse(repository=repository)
        return
    if kind is Project:
        yield "of an image", Project()
        return
    for words, stage, protected in WHERE:
        environment = Environment(name=stage, stage=stage, protected=protected)
        known = {Environment: environment, AppEnvironment: AppEnvironment(environment=environment)}
        known[Operation] = Operation(params={"needs": list(needs_deploy(known[AppEnvironment]))})
        if kind not in known:
            raise LookupError(
                f"{needs.__name__} takes a {kind.__name__}: say in tests/rules/matrix.py what stands for one"
            )
        yield words, known[kind]


def table() -> str:
    """One line per command, one column per role: x may, . may not."""
    from tenants.roles import ROLES

    roles = list(ROLES.values())
    rows = list(requirements())
    width = max(len(name) for name, _codes in rows) + 2
    heads = [f"{role.key:>{len(role.key) + 2}}" for role in roles]
    lines = [" " * width + "".join(heads)]
    for name, codes in rows:
        own = "account.own" in codes  # everybody's own, given by being signed in
        marks = ["x" if own or role.permissions & set(codes) else "." for role in roles]
        lines.append(
            f"{name:<{width}}" + "".join(f"{mark:>{len(head)}}" for mark, head in zip(marks, heads, strict=True))
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
    os.environ.setdefault("FIELD_KEYS", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")
    django.setup()
    FILE.write_text(table())

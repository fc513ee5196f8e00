"""What a client asks for (`repository:acme/shop/web:pull,push`), and how much of it somebody gets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.access import Actor, may
from images import selectors
from images.models import Repository
from images.promotion import places
from images.registry import accounts, names
from tenants.models import Project, Tenant

REPOSITORY = "repository"
NEEDS = {"pull": "image.pull", "push": "image.push", "delete": "image.delete"}
EVERYTHING = "*"  # asked for by some clients where they want to delete; it is never a permission here
MOST = 20


@dataclass(frozen=True)
class Scope:
    """A thing of the registry and what is to be done with it."""

    kind: str
    name: str
    actions: tuple[str, ...]

    def as_claim(self) -> dict[str, object]:
        return {"type": self.kind, "name": self.name, "actions": list(self.actions)}

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(self.actions)}"


def read(texts: Iterable[str]) -> Iterator[Scope]:
    """The scopes of a request; what is no scope asks for nothing."""
    words = [word for text in texts for word in text.split()]
    for word in words[:MOST]:
        kind, _colon, rest = word.partition(":")
        name, colon, actions = rest.rpartition(":")
        if colon:
            yield Scope(kind, name, tuple(dict.fromkeys(actions.split(","))))


def granted(actor: Actor, asked: Iterable[Scope]) -> list[Scope]:
    """What is asked and allowed at once. What is not there and what is another's looks the same: nothing."""
    return [Scope(one.kind, one.name, actions) for one in asked if (actions := _actions(actor, one))]


def _laid_out(actor: Actor, asked: Scope) -> tuple[str, ...]:
    """What is laid out for a stage is there for the hosts of that stage, to be read and nothing else."""
    wanted = asked.kind == REPOSITORY and places.is_place(asked.name) and {"pull", EVERYTHING} & set(asked.actions)
    return ("pull",) if wanted and asked.name == accounts.laid_out_for(actor) else ()


def _actions(actor: Actor, asked: Scope) -> tuple[str, ...]:
    path = names.parse(asked.name)
    if path is None:
        return _laid_out(actor, asked)
    if asked.kind != REPOSITORY:
        return ()
    wanted = tuple(NEEDS) if EVERYTHING in asked.actions else asked.actions
    project = project_of(path)
    return tuple(one for one in wanted if one in NEEDS and project and _allowed(actor, one, project, path))


def project_of(path: names.Path) -> Project | None:
    rows = Project.objects.select_related("tenant").exclude(tenant__state=Tenant.DISABLED)
    return rows.filter(
        tenant__name=path.tenant, name=path.project, deleted_at__isnull=True, purged_at__isnull=True
    ).first()


def _allowed(actor: Actor, action: str, project: Project, path: names.Path) -> bool:
    """Nothing is put into a project that is suspended or archived, nor taken out of it."""
    if action == "pull":
        return may(actor, NEEDS[action], project) or _is_shared(actor, path)
    return project.state == Project.State.ACTIVE and may(actor, NEEDS[action], project)


def _is_shared(actor: Actor, path: names.Path) -> bool:
    """Whether the repository is open to one of the tenants the actor is in, or to everybody who is known here."""
    ceiling = actor.rights.ceiling
    if actor.kind == "nobody" or (ceiling is not None and NEEDS["pull"] not in ceiling):
        return False
    return Repository.objects.filter(selectors.shared_with(actor.rights.tenants), path=str(path)).exists()

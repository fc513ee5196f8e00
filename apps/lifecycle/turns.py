"""From which state a project may be brought into which other."""

from dataclasses import dataclass
from typing import Any

from operations.models import Operation
from tenants.models import Project

State = Project.State
KIND = "project."
FROM: dict[str, tuple[str, ...]] = {
    "suspend": (State.ACTIVE,),
    "resume": (State.SUSPENDED,),
    "archive": (State.ACTIVE, State.SUSPENDED),
    "restore": (State.ARCHIVED, State.DELETED),
    "delete": (State.ACTIVE, State.SUSPENDED, State.ARCHIVED),
}
DOWN: dict[str, str] = {"suspend": State.SUSPENDED, "archive": State.ARCHIVED, "delete": State.DELETED}
NEEDS = {deed: "project.delete" if deed == "delete" else "project.manage" for deed in FROM}


def target_of(project: Project) -> str:
    """The key that lets one turn of a project run at a time."""
    return f"project:{project.pk}"


@dataclass(frozen=True)
class Turn:
    """One change of state: what was asked, where it was, where it goes; and what it had been before that."""

    deed: str
    before: str
    to: str
    earlier: str

    @classmethod
    def of(cls, project: Project, deed: str) -> "Turn":
        """`restore` leads to where it was before: the states a project came through are kept in `earlier`."""
        stack = project.earlier.split()
        to = DOWN.get(deed) or (State.ACTIVE if deed == "resume" else next(iter(stack), State.ACTIVE))
        return cls(deed, project.state, str(to), project.earlier)

    @classmethod
    def read(cls, operation: Operation) -> "Turn":
        return cls(**operation.params["turn"])

    @property
    def down(self) -> bool:
        """Whether less runs afterwards: then the project is closed at once, and reopened last."""
        return self.deed in DOWN

    @property
    def frees(self) -> bool:
        """Whether nothing at all stays at the engines."""
        return self.to in (State.ARCHIVED, State.DELETED)

    @property
    def runs(self) -> bool:
        return self.to == State.ACTIVE

    @property
    def at_once(self) -> dict[str, Any]:
        """What the project's row says from the moment this is accepted.

        On the way up nothing may be changed until all runs again; what is brought back is seen at once.
        """
        if self.down:
            stack = [self.before, *self.earlier.split()] if self.frees else []
            return {"state": self.to, "earlier": " ".join(stack)}
        if self.deed == "resume":
            return {}
        kept = self.to if not self.runs else State.SUSPENDED
        return {"state": kept, "earlier": " ".join(self.earlier.split()[1:])}

    @property
    def undone(self) -> dict[str, Any]:
        """What the row says again where it could not be done; a project once brought back stays so."""
        return {"state": self.before, "earlier": self.earlier} if self.down else {}

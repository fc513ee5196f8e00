"""Why a robot may not, at this moment, what its role would give it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.access import NONE, Codes
from tenants.models import User
from tenants.rights import rights_of
from tenants.robots.models import SOURCE, Robot
from tenants.robots.selectors import DISABLED, LACKS, NO_KEEPER, shown_robot

WHY_STOPPED = {
    NO_KEEPER: gettext_lazy("It stands still: nobody keeps it."),
    DISABLED: gettext_lazy("It stands still: %(person)s, who keeps it, is disabled."),
    LACKS: gettext_lazy("It stands still: %(person)s, who keeps it, may nothing of its role here now."),
}


def why_stopped(shown: dict[str, Any]) -> str:
    """Of a robot as `selectors.shown_robots` has it; empty where it does not stand still."""
    words = WHY_STOPPED.get(shown["stopped"])
    return str(words) % {"person": shown["keeper"]} if words else ""


@dataclass(frozen=True)
class KeepersPart:
    """What a robot may of its role, since its keeper may it too; and in words why it may nothing else."""

    codes: Codes
    why: str

    def why_not(self, permission: str) -> str:
        return "" if permission in self.codes else self.why


def keepers_part(user: User) -> KeepersPart | None:
    """None for a person. Asked as at each request of the robot's own (keeping.py)."""
    if user.source != SOURCE:
        return None
    robot = Robot.objects.select_related("user").get(user=user)
    shown = shown_robot(robot)
    why = why_stopped(shown) or _("Not now: %(person)s, who keeps it, may not.") % {"person": shown["keeper"]}
    return KeepersPart(rights_of(robot.user).projects.get(robot.project_id, NONE), why)

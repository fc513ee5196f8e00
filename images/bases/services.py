"""What an operator does with images to build upon. Each public function is a command."""

from django.utils.translation import gettext as _

from audit.commands import command, describe
from core.access import Actor
from core.errors import Conflict
from images.bases.models import BaseImage
from images.models import Repository


@command("image.publish_base", permission="cluster.manage")
def publish_base(actor: Actor, repository: Repository, *, advice: str = "") -> BaseImage:
    """Recommend it to every tenant; done again, the advice is changed."""
    if repository.tenant_id is not None and repository.visible != Repository.Visible.EVERYONE:
        raise Conflict(
            _("%(name)s is not open to everybody, so most tenants could not build upon it.")
            % {"name": repository.name},
            code="not_open_to_all",
            hint=_("Whoever manages its project opens it to everybody who signs in."),
        )
    known = {"advice": advice[:500], "published_by": actor.name[:150]}
    row, _made = BaseImage.objects.update_or_create(repository=repository, defaults=known)
    describe(after={"advice": row.advice})
    return row


@command("image.withdraw_base", permission="cluster.manage")
def withdraw_base(actor: Actor, repository: Repository) -> None:
    """Recommend it no more. The repository and what was built upon it stay as they are."""
    if not BaseImage.objects.filter(repository=repository).delete()[0]:
        raise Conflict(_("It is no base image."), code="no_base")

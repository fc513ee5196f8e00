"""Who holds a role that a tenant made for itself."""

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from tenants.custom.models import CustomRole
from tenants.groups.holding import tell_holders
from tenants.models import Grant

NAMED = 10


class Holders:
    """Those whose grant of the role runs or is still to begin, by name."""

    def __init__(self, role: CustomRole) -> None:
        rows = Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=Now()), custom=role, ended_at=None)
        self.grants = list(
            rows.select_related("user", "group", "tenant", "project__tenant", "custom").order_by("user__username")
        )

    @property
    def names(self) -> list[str]:
        return sorted({grant.subject for grant in self.grants})

    @property
    def words(self) -> str:
        """The first ten of them, and how many more there are."""
        named = ", ".join(self.names[:NAMED])
        more = len(self.names) - NAMED
        return _("%(people)s and %(count)s more") % {"people": named, "count": more} if more > 0 else named

    def tell(self) -> None:
        """What they may do changed: open sockets of theirs are looked at again at once."""
        for grant in self.grants:
            tell_holders(grant)

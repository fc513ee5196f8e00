"""What nobody else would look after once somebody is removed, and giving it to somebody else in the same moment."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.access import Actor
from core.errors import FieldProblem, Invalid
from tenants.members.cutting import Cut, Place, at
from tenants.models import Grant, Project, Request, Review, Robot, User
from tenants.quota.asking import QUOTA, TENANT_QUOTA
from tenants.requests import telling
from tenants.requests.models import still_open
from tenants.rights import running_grants
from tenants.services import give_grant

ADMIN = "project.admin"
HANDED_REASON = "handed over"


def left_alone(person: UUID, place: Place) -> QuerySet[Project]:
    """Projects of which the person is the only admin."""
    held = Grant.objects.filter(running_grants(), at(place), role=ADMIN)
    others = held.exclude(user=person).values("project")
    mine = held.filter(user=person, project__deleted_at=None).exclude(project__in=others)
    return Project.objects.filter(pk__in=mine.values("project")).select_related("tenant").order_by("name")


def requests_of(person: UUID, place: Place) -> QuerySet[Request]:
    """Open requests that are about the place and not about the person who asked."""
    return Request.objects.filter(still_open(), at(place), asked_by=person, kind__in=[QUOTA, TENANT_QUOTA])


def reviews_of(person: UUID, place: Place) -> QuerySet[Review]:
    return Review.objects.filter(at(place), starter=person, state=Review.State.RUNNING)


def orphans(person: UUID, place: Place) -> list[Cut]:
    """What would be without anybody, the kinds of which there is something."""
    projects = list(left_alone(person, place).values_list("name", flat=True))
    asked, begun = requests_of(person, place).count(), reviews_of(person, place).count()
    named = _("leave without a project admin: %(names)s") % {"names": ", ".join(projects)}
    asks = ngettext("withdraw %(count)s request for quota", "withdraw %(count)s requests for quota", asked)
    told = ngettext("leave %(count)s access review unwatched", "leave %(count)s access reviews unwatched", begun)
    found = [
        Cut("projects", "users", len(projects), named),
        Cut("quota_requests", "gauge", asked, asks % {"count": asked}),
        Cut("reviews", "checks", begun, told % {"count": begun}),
    ]
    return [one for one in found if one.count]


def check_heir(person: User, heir: User, place: Place) -> None:
    """Raises Invalid in field `heir` unless it is another person with a role in the same tenant."""
    tenant = place.tenant_id if isinstance(place, Project) else place.pk
    belongs = Grant.objects.filter(running_grants(), tenant=tenant, user=heir).exists()
    if heir == person or not belongs:
        message = _("Name another person who has a role in this tenant.")
        raise Invalid(errors=[FieldProblem("heir", "no_member", message)])


def hand_over(actor: Actor, place: Place, *, person: User, heir: User) -> dict[str, object]:
    """Call it in the transaction of the removal, before anything ends. Answers what the audit has to hold."""
    check_heir(person, heir, place)
    projects = list(left_alone(person.pk, place))
    for project in projects:
        give_grant(actor, project, user=heir, role=ADMIN, reason=HANDED_REASON)
    handed = list(requests_of(person.pk, place).select_related("tenant", "project", "asked_by", "decided_by"))
    for request in handed:
        Request.objects.filter(pk=request.pk).update(asked_by=heir)
        telling.over(request)
    reviews = reviews_of(person.pk, place).update(starter=heir)
    robots = Robot.objects.filter(at(place), keeper=person, removed_at=None).update(keeper=heir)
    return {
        "heir": heir.get_username(),
        "projects": [project.name for project in projects],
        "requests": [str(request.pk) for request in handed],
        "reviews": reviews,
        "robots": robots,
    }

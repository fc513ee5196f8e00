"""Who may answer which line: whoever could end the role, but nobody about themselves.

The role of a tenant's only owner cannot end. That it is rightly held is confirmed by who looks at rights that were
taken at once: an auditor of the tenant.
"""

from collections import defaultdict
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from core.access import Actor
from tenants.custom.resolving import codes_at
from tenants.groups.holding import held_by, ids_held_by
from tenants.models import Grant, Review, ReviewLine
from tenants.rights import running_grants

OWNER = "tenant.owner"
Place = tuple[UUID, UUID | None, str]  # tenant, project, role


def still_open() -> Q:
    """Lines that wait for an answer at this moment, by the database's clock."""
    running = Q(review__state=Review.State.RUNNING, review__ends_at__gt=Now())
    return Q(state=ReviewLine.State.OPEN) & running & not_over()


def not_over() -> Q:
    """Lines of grants that did not end in another way meanwhile."""
    return Q(grant__ended_at=None) & (Q(until=None) | Q(until__gt=Now()))


def own(actor: Actor) -> QuerySet[Grant]:
    """What the actor holds by themselves or by a group: for these they do not answer."""
    return Grant.objects.filter(held_by(actor.id))


def about_own(actor: Actor) -> Q:
    """Lines about these."""
    return Q(grant_id__in=ids_held_by(actor.id))


def needs_of(line: ReviewLine) -> tuple[str, ...]:
    """Permissions of which one is needed to answer a line; `may_answer` then looks closer."""
    return ("member.manage", "access.review") if line.role == OWNER else ("member.manage",)


def only_owner(tenant: UUID) -> bool:
    return Grant.objects.filter(running_grants(), tenant=tenant, project=None, role=OWNER).count() < 2


def could_end(actor: Actor, place: Place) -> bool:
    """Whether the actor may give and take roles there, and holds all that this one allows."""
    tenant, project, role = place
    codes = codes_at(tenant, role)
    return all(actor.rights.allows(code, tenant=tenant, project=project) for code in ("member.manage", *codes))


def may_answer(actor: Actor, place: Place) -> bool:
    """Whether the actor may answer lines of others for this role at this place."""
    if could_end(actor, place) and not (place[2] == OWNER and only_owner(place[0])):
        return True
    return may_confirm(actor, place)


def may_confirm(actor: Actor, place: Place) -> bool:
    """Whether it is the only owner's role, and the actor one who looks at such rights."""
    tenant, project, role = place
    looks = actor.rights.allows("access.review", tenant=tenant, project=project)
    return role == OWNER and looks and only_owner(tenant)


def answerable(actor: Actor) -> QuerySet[ReviewLine]:
    """Open lines that wait for this actor."""
    projects: dict[str, list[UUID]] = defaultdict(list)
    tenants: dict[str, list[UUID]] = defaultdict(list)
    for tenant, project, role in _groups(actor):
        if project is None:
            tenants[role].append(tenant)
        else:
            projects[role].append(project)
    condition = Q(pk__in=[])
    for role in {*projects, *tenants}:  # few, however many places there are
        here = Q(project__in=projects[role]) | Q(tenant__in=tenants[role], project=None)
        condition |= Q(role=role) & here
    return ReviewLine.objects.filter(still_open(), condition).exclude(about_own(actor))


def answerable_count(actor: Actor) -> int:
    """How many lines wait for the actor. No query for the many who decide nothing, one where no review is running."""
    return sum(_groups(actor).values())


def _groups(actor: Actor) -> dict[Place, int]:
    """Tenant, project and role of open lines that the actor may answer, with how many there are."""
    held = [*actor.rights.tenants.items(), *actor.rights.projects.items()]
    places = [key for key, codes in held if codes & {"member.manage", "access.review"}]
    if actor.id is None or not places:
        return {}
    if not Review.objects.filter(tenant__in=list(actor.rights.tenants), state=Review.State.RUNNING).exists():
        return {}
    here = Q(tenant__in=places) | Q(project__in=places)
    rows = ReviewLine.objects.filter(still_open(), here).exclude(about_own(actor))
    counted = rows.order_by().values_list("tenant_id", "project_id", "role").annotate(count=Count("pk"))
    return {(t, p, role): count for t, p, role, count in counted if may_answer(actor, (t, p, role))}

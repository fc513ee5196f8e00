"""What runs by itself for people: they are told what is coming, and what is old goes away."""

from contextlib import suppress

from celery import shared_task
from django.db.models.functions import Now

from tenants import ending, notices
from tenants.identity import outgoing, recheck, sync
from tenants.identity.errors import IdentityUnavailable
from tenants.models import Session
from tenants.quota import sweeping
from tenants.requests.expiring import expire_old


@shared_task(name="tenants.look_after", ignore_result=True)
def look_after() -> None:
    """Tell of grants that end soon; note requests nobody answered; forget old notices and sessions that are over."""
    ending.tell_of_ending_grants()
    expire_old()
    notices.forget_old()
    Session.objects.filter(expire_date__lt=Now()).delete()


@shared_task(name="tenants.look_after_loans", ignore_result=True)
def look_after_loans() -> None:
    """What was lent until now goes back; what goes back within two days is told."""
    sweeping.look_after_loans()


@shared_task(name="tenants.recount_quota", ignore_result=True)
def recount_quota() -> None:
    """Add up again what is held."""
    sweeping.recount_all()


@shared_task(name="tenants.follow_keystone", ignore_result=True)
def follow_keystone() -> None:
    """Make organizations, tenants, people and roles as Keystone says. Without a Keystone there is nothing to do."""
    if sync.configured():
        outgoing.end_what_is_over()
        outgoing.send()
        sync.follow_all()


@shared_task(name="tenants.heed_disabled", ignore_result=True)
def heed_disabled() -> None:
    """Put out who is disabled in Keystone and only has sockets open; while it is away nobody is."""
    if sync.configured():
        with suppress(IdentityUnavailable):
            recheck.heed_disabled()


@shared_task(name="tenants.write_to_keystone", ignore_result=True)
def write_to_keystone() -> None:
    """Send what was given or taken in Berth."""
    if sync.configured():
        outgoing.send()

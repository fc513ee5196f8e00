"""What runs by itself for people: they are told what is coming, and what is old goes away."""

from celery import shared_task
from django.db.models.functions import Now

from tenants import ending, notices
from tenants.models import Session
from tenants.requests.expiring import expire_old


@shared_task(name="tenants.look_after", ignore_result=True)
def look_after() -> None:
    """Tell of grants that end soon; note requests nobody answered; forget old notices and sessions that are over."""
    ending.tell_of_ending_grants()
    expire_old()
    notices.forget_old()
    Session.objects.filter(expire_date__lt=Now()).delete()

"""What is done about consoles now and then."""

from celery import shared_task

from console import services


@shared_task(name="console.sweep", ignore_result=True)
def sweep() -> None:
    services.sweep()

"""`manage.py observe`: the observer as a process of its own."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from apps.observer import Observer


class Command(BaseCommand):
    help = "Watch every cluster and keep the rows that pages read up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        observer = Observer()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: observer.stop())
        observer.run()

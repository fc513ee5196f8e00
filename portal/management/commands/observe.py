"""`manage.py observe`: the observer and the collector as a process of their own."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from apps.observer import Observer
from observe.collecting import Collector


class Command(BaseCommand):
    help = "Watch every cluster and keep the rows that pages read up to date; collect what instances use."

    def handle(self, *args: Any, **options: Any) -> None:
        observer, collector = Observer(), Collector()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: observer.stop())
        beside = threading.Thread(target=collector.run, name="berth-collector", daemon=True)
        beside.start()
        observer.run()
        collector.stop()
        beside.join(timeout=5)

"""`manage.py observe`: the observer, the collector and the followers as a process of their own."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from apps.observer import Observer
from observe.collecting import Collector
from observe.following import Followers


class Command(BaseCommand):
    help = "Watch every cluster and keep the rows that pages read up to date; collect what instances use and write."

    def handle(self, *args: Any, **options: Any) -> None:
        observer, beside = Observer(), (Collector(), Followers())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: observer.stop())
        threads = [threading.Thread(target=one.run, name=f"berth-{type(one).__name__}", daemon=True) for one in beside]
        for thread in threads:
            thread.start()
        observer.run()
        for one in beside:
            one.stop()
        for thread in threads:
            thread.join(timeout=5)

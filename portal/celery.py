"""The Celery application. Messages are JSON and carry ids; the broker may lose them all."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("berth", task_cls="portal.beat:Periodic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()  # threads of the embedded worker must find this one, not an empty default
app.autodiscover_tasks()

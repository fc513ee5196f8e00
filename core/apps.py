from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Brings the template tags; has no models."""

    name = "core"

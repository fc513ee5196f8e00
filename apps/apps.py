from django.apps import AppConfig


class AppsConfig(AppConfig):
    name = "apps"

    def ready(self) -> None:
        from apps import operations  # noqa: F401  registers how each kind of change is brought about

from django.apps import AppConfig


class BackendsConfig(AppConfig):
    name = "backends"

    def ready(self) -> None:
        from backends import drivers  # noqa: F401  registers the kinds of clusters

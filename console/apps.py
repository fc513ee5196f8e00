from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import timeline  # noqa: F401  adds consoles to the timelines of apps

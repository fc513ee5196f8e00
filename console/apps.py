from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "console"

    def ready(self) -> None:
        from console import timeline  # noqa: F401  adds consoles to the timelines of apps
        from console.selectors import open_consoles
        from tenants.members.cutting import register_cut

        register_cut(open_consoles)

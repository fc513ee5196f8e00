from django.apps import AppConfig


class AppsConfig(AppConfig):
    name = "apps"

    def ready(self) -> None:
        from apps import noticing, operations  # noqa: F401  both register: who hears of a change, how it is brought about
        from apps.lifecycle import operations as lifecycle  # noqa: F401  the same for whole projects

from django.apps import AppConfig


class AppsConfig(AppConfig):
    name = "apps"

    def ready(self) -> None:
        from apps import noticing, operations  # noqa: F401  both register: who hears of a change, how it is brought about
        from apps.hosts import operations as hosts  # noqa: F401  the same for hosts
        from apps.lifecycle import operations as lifecycle  # noqa: F401  and for whole projects
        from apps.selectors import image_holds  # noqa: F401  why images stay

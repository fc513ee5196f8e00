from django.apps import AppConfig


class ObserveConfig(AppConfig):
    name = "observe"

    def ready(self) -> None:
        from observe import trends  # noqa: F401  it registers: pages of apps ask there what was used of late

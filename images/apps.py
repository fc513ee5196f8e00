from importlib import import_module

from django.apps import AppConfig

REGISTERING = (  # modules that say, when they are read, how something is done or what they listen to
    "images.building.operations",
    "images.hooks.noting",
    "images.hooks.telling",
    "images.keeping.immutable",
    "images.keeping.operations",
    "images.keeping.room",
    "images.promotion.holding",
    "images.promotion.listening",
    "images.replication.operations",
    "images.replication.receiving",
    "images.scanning.operations",
    "images.scanning.ordering",
    "images.uploading.operations",
)


class ImagesConfig(AppConfig):
    name = "images"

    def ready(self) -> None:
        for name in REGISTERING:
            import_module(name)

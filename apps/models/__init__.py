"""The product's tables: declared (what should run), observed (what runs), history (what was)."""

from apps.models.declared import App, AppEnvironment, Environment, Release, ReleaseImage, ServiceName
from apps.models.history import Deployment, InstanceEnd
from apps.models.observed import ObservedInstance, ObservedService, PlaceEvent

__all__ = [
    "App",
    "AppEnvironment",
    "Deployment",
    "Environment",
    "InstanceEnd",
    "ObservedInstance",
    "ObservedService",
    "PlaceEvent",
    "Release",
    "ReleaseImage",
    "ServiceName",
]

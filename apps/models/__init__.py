"""The product's tables: declared (what should run), observed (what runs), history (what was)."""

from apps.models.declared import App, AppEnvironment, Environment, Release, ReleaseImage, ServiceName
from apps.models.history import Deployment, InstanceEnd
from apps.models.kept_logs import KeptChunk, KeptLog
from apps.models.observed import ObservedInstance, ObservedService, PlaceEvent
from apps.models.offered import ClusterOffer

__all__ = [
    "App",
    "AppEnvironment",
    "ClusterOffer",
    "Deployment",
    "Environment",
    "InstanceEnd",
    "KeptChunk",
    "KeptLog",
    "ObservedInstance",
    "ObservedService",
    "PlaceEvent",
    "Release",
    "ReleaseImage",
    "ServiceName",
]

from django.urls import path

import core.api.addresses  # noqa: F401  registers the kinds of path parts
from images.api import views

P = "tenants/<label:tenant>/projects/<label:project>"

urlpatterns = [
    path(f"{P}/images", views.Repositories.as_view(), name="api_images"),
    path(f"{P}/images/<path:repository>/tags", views.Tags.as_view(), name="api_image_tags"),
    path(
        f"{P}/images/<path:repository>/artifacts/<str:digest>",
        views.OneArtifact.as_view(),
        name="api_image_artifact",
    ),
]

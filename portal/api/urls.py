"""The API under /api/v1/: each package brings its own."""

from django.urls import include, path

from portal.api import reference

urlpatterns = [
    path("", include("tenants.api.urls")),
    path("", include("images.api.urls")),
    path("", include("apps.api.urls")),
    path("", include("observe.api.urls")),
    path("", include("console.api.urls")),
    path("", include("operations.api.urls")),
    path("", include("audit.api.urls")),
    path("schema", reference.Schema.as_view(), name="api_schema"),
    path("docs", reference.docs, name="api_docs"),
    path("schemas/app", reference.AppSchema.as_view(), name="api_app_schema"),
    path("problems/<slug:code>", reference.ProblemMeaning.as_view(), name="api_problem"),
]

"""All addresses of the portal."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from portal import health, metrics, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.export, name="portal_metrics"),
    path("accounts/", include("tenants.urls")),
    path("keystone/", include("tenants.identity.urls")),
    path("", include("images.urls")),
    path("i18n/setlang/", views.set_language, name="set_language"),
    path("theme/", views.set_theme, name="set_theme"),
    path("search/", views.search, name="search"),
    path("search/places/", views.places, name="search_places"),
    path("running/", views.running, name="running"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}img/icon.svg")),
    path("api/v1/", include("portal.api.urls")),
    path("", include("tenants.requests.urls")),
    path("", include("tenants.quota.urls")),
    path("", include("tenants.invitations.urls")),
    path("", include("tenants.groups.urls")),
    path("", include("tenants.members.urls")),
    path("", include("tenants.reviews.urls")),
    path("", include("apps.urls")),
    path("", include("console.urls")),
    path("", include("observe.urls")),
]
if settings.DEBUG:
    from console.styleguide import styleguide

    urlpatterns.append(path("styleguide/", login_required(styleguide), name="styleguide"))

handler400 = "portal.failures.bad_request"
handler403 = "portal.failures.denied"
handler404 = "portal.failures.not_found"
handler500 = "portal.failures.broken"

"""The API under /api/v1/: each package brings its own."""

urlpatterns: list[object] = []

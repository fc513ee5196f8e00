from django.urls import path

from apps.api.urls import E
from observe.api import views

urlpatterns = [path(f"{E}/metrics", views.Metrics.as_view(), name="api_metrics")]

from django.urls import path

from apps.urls import APP
from observe import views

urlpatterns = [path(f"{APP}metrics/", views.page, name="metrics")]

from django.urls import path

from operations.api import views

urlpatterns = [
    path("operations", views.Operations.as_view(), name="api_operations"),
    path("operations/<uuid:operation>", views.OneOperation.as_view(), name="api_operation"),
    path("operations/<uuid:operation>/events", views.Events.as_view(), name="api_operation_events"),
    path("operations/<uuid:operation>/cancel", views.Cancel.as_view(), name="api_operation_cancel"),
]

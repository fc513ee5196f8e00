from django.urls import path

from audit.api import views

urlpatterns = [
    path("audit", views.PlatformAudit.as_view(), name="api_audit"),
    path("audit/export", views.PlatformAuditExport.as_view(), name="api_audit_export"),
    path("audit/verify", views.PlatformAuditVerify.as_view(), name="api_audit_verify"),
]

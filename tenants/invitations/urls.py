from django.urls import path

from tenants.invitations import views

urlpatterns = [
    path("t/<slug:tenant>/members/invitations/", views.page, name="invitations"),
    path("t/<slug:tenant>/members/invitations/<uuid:invitation>/revoke/", views.revoke, name="invitation_revoke"),
    path("invitations/<str:link>/", views.come, name="invitation"),
]

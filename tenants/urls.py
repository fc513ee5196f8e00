from django.contrib.auth.views import LogoutView
from django.urls import path

from tenants import notice_views
from tenants.profile import views
from tenants.views import SignIn, SignInCode, SignInExpired

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-in/code/", SignInCode.as_view(), name="sign_in_code"),
    path("sign-in/expired/", SignInExpired.as_view(), name="sign_in_expired"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("profile/", views.profile, name="profile"),
    path("password/", views.password, name="password"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end-others/", views.end_others, name="sessions_end_others"),
    path("sessions/<uuid:session>/end/", views.end_session, name="session_end"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<uuid:token>/revoke/", views.revoke, name="token_revoke"),
    path("notices/", notice_views.page, name="notices"),
    path("notices/bell/", notice_views.bell, name="notices_bell"),
    path("notices/read/", notice_views.read, name="notices_read"),
]

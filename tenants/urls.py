from django.contrib.auth.views import LogoutView
from django.urls import path

from tenants import notice_views
from tenants.factors import views as factors
from tenants.profile import views
from tenants.views import SignIn, SignInCode, SignInExpired, SignInPasskey

urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-in/code/", SignInCode.as_view(), name="sign_in_code"),
    path("sign-in/expired/", SignInExpired.as_view(), name="sign_in_expired"),
    path("sign-in/passkey/", SignInPasskey.as_view(), name="sign_in_passkey"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("profile/", views.profile, name="profile"),
    path("password/", views.password, name="password"),
    path("security/", factors.page, name="security"),
    path("security/prove/", factors.prove, name="prove"),
    path("security/app/", factors.app, name="factor_app"),
    path("security/codes/", factors.codes, name="factor_codes"),
    path("security/passkeys/", factors.passkey, name="factor_passkey"),
    path("security/<uuid:factor>/name/", factors.rename, name="factor_rename"),
    path("security/<uuid:factor>/remove/", factors.remove, name="factor_remove"),
    path("lost-factors/", factors.lost, name="lost_factors"),
    path("sessions/", views.sessions, name="sessions"),
    path("sessions/end-others/", views.end_others, name="sessions_end_others"),
    path("sessions/<uuid:session>/end/", views.end_session, name="session_end"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<uuid:token>/revoke/", views.revoke, name="token_revoke"),
    path("notices/", notice_views.page, name="notices"),
    path("notices/bell/", notice_views.bell, name="notices_bell"),
    path("notices/read/", notice_views.read, name="notices_read"),
]

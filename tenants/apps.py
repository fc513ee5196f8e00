from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from core.access import register_behind, register_gate, register_use, register_who_grants


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from operations.registry import register_rights
        from tenants import ending, lifecycle, rights, signals  # noqa: F401  ending: registers its words
        from tenants.breakglass import review  # noqa: F401  registers itself
        from tenants.quota import asking  # noqa: F401  what may be asked for
        from tenants.requests import kinds  # noqa: F401  registers them
        from tenants.reviews import telling  # noqa: F401  registers its words

        register_who_grants(rights.who_grants)
        register_behind(rights.grants_behind)
        register_use(rights.note_use)
        register_gate(lifecycle.refuse_closed)
        register_rights(lambda user: rights.actor_now(user).rights)
        user_logged_in.connect(signals.signed_in, dispatch_uid="audit_signed_in")
        user_logged_out.connect(signals.signed_out, dispatch_uid="audit_signed_out")
        user_login_failed.connect(signals.sign_in_failed, dispatch_uid="audit_sign_in_failed")

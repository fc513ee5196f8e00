"""How the two ways to sign in are written in the API's description."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped library
    target_class = "tenants.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token made with POST /api/v1/tokens."}


class KeystoneScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped library
    target_class = "tenants.identity.tokens.KeystoneAuthentication"
    name = "keystone"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "A token of Keystone for one project, such as an application credential gives. Where one is configured."
        return {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": words}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped library
    target_class = "tenants.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "The session of the pages. Changes also need the header X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "berth_session", "description": words}

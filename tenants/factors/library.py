"""The two parts of django-allauth that hold tables, without what they would start: no signals, no middleware.

`allauth.account` is here because `allauth.mfa` imports its models; nobody of ours has an e-mail address in them.
"""

from django.apps import AppConfig


class Accounts(AppConfig):
    name = "allauth.account"
    default_auto_field = "django.db.models.AutoField"


class Factors(AppConfig):
    name = "allauth.mfa"
    default_auto_field = "django.db.models.BigAutoField"

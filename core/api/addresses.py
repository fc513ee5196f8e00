"""Parts of addresses: what does not have the form of a name is no address at all."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class Label(StringConverter):
    """A DNS label, as names of tenants, projects, apps and environments are."""

    regex = "[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?"


register_converter(Label, "label")

"""{% load components %}: every component of the console. templates/components/README.md lists them."""

from core.markup import Components, compile_slot
from core.tags import forms, layout, measure, operation, status, table, text, topology

register = Components()
register.tag("slot", compile_slot)
for group in (status, text, layout, table, forms, operation, measure, topology):
    register.tags.update(group.register.tags)
    register.filters.update(group.register.filters)

from django.urls import path

from tenants.identity import pages

urlpatterns = [
    path("", pages.page, name="keystone"),
    path("mappings/", pages.add, name="keystone_map"),
    path("mappings/<uuid:mapping>/remove/", pages.remove, name="keystone_unmap"),
    path("mend/", pages.mend, name="keystone_mend"),
]

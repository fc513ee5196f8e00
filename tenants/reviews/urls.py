"""Addresses of the pages about access reviews."""

from django.urls import path

from tenants.reviews import views

HERE = "t/<slug:tenant>/members/reviews/"

urlpatterns = [
    path(HERE, views.page, name="reviews"),
    path(f"{HERE}<uuid:review>/", views.one, name="review"),
    path(f"{HERE}<uuid:review>/answer/", views.answer, name="review_answer"),
    path(f"{HERE}<uuid:review>/close/", views.close, name="review_close"),
    path(f"{HERE}<uuid:review>/call-off/", views.call_off, name="review_call_off"),
    path(f"{HERE}<uuid:review>/result/", views.result, name="review_result"),
]

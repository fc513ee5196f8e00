"""The deploy panel, over the overview of its project."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from apps.views.answers import shown
from apps.views.deploy_asked import DEPLOY, Asked
from apps.views.deploy_once import deploy_once
from apps.views.deploy_panel import Panel
from apps.views.found import project_of
from apps.views.overview import overview_context


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def deploy(request: HttpRequest, tenant: str, project: str) -> HttpResponse:
    here = project_of(request, tenant, project)
    asked = Asked(request, here)
    panel = Panel(asked)
    deploying = asked.posted and asked.go == DEPLOY
    if deploying and (address := deploy_once(panel)):
        return HttpResponseRedirect(address)
    below = {} if request.headers.get("HX-Request") == "true" else overview_context(request, here)
    response = shown(request, "deploy/page", below | {"panel": panel}, part="deploy/_sheet")
    response.status_code = 422 if deploying else 200
    return response

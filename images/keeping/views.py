"""Where the gate in front of the registry asks. It shows what the registry shows when it tells of pushes."""

import hmac
import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core.errors import NotSignedIn, PortalError, Unavailable
from images.keeping import gate

CODES = {400: "MANIFEST_INVALID", 503: "UNAVAILABLE"}


@csrf_exempt
@require_http_methods(["POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """204: it may be done. 401: nobody is known who may. Else a refusal in the registry's own form."""
    if not settings.REGISTRY["url"]:
        raise Http404
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {settings.REGISTRY['notices']}".encode()):
        return HttpResponse(status=403)
    try:
        gate.answer(json.loads(request.body))
    except ValueError:
        return HttpResponse(status=400)
    except NotSignedIn:
        return HttpResponse(status=401)
    except PortalError as error:
        return _refused(error)
    return HttpResponse(status=204)


def _refused(error: PortalError) -> HttpResponse:
    """Clients try again what is not denied, so whatever stays so is denied."""
    text = " ".join(str(part) for part in (error.message, error.hint) if part)
    status = 503 if isinstance(error, Unavailable) else 403
    said = {"errors": [{"code": CODES.get(status, "DENIED"), "message": text}]}
    return JsonResponse(said, status=status)

"""The door: sign in, with what may come between a right password and being in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from core.errors import PortalError
from tenants.factors import passkeys
from tenants.factors.selectors import kinds_of
from tenants.identity import door, floods
from tenants.identity.errors import PasswordExpired, SecondFactorNeeded
from tenants.identity.forms import CodeForm, ExpiredForm, PasskeyForm, SignInForm


class SignIn(LoginView):
    form_class: Any = SignInForm
    template_name = "door/sign_in.html"
    redirect_authenticated_user = True

    def shown_form(self, **kwargs: Any) -> Any:
        """The form of a page that refuses."""
        return self.form_class(**kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A flood and an outage are told in the page, so that what was typed need not be typed again."""
        try:
            floods.check(request)
            return super().post(request, *args, **kwargs)
        except SecondFactorNeeded as needed:
            return self._wait("code", needed.receipt)
        except PasswordExpired as expired:
            return self._wait("expired", expired.user)
        except PortalError as error:
            return self._refused(error)

    def _refused(self, error: PortalError) -> HttpResponse:
        initial = self.request.POST.dict()
        form = self.shown_form(**self.get_form_kwargs() | {"data": None, "files": None, "initial": initial})
        response = self.render_to_response(self.get_context_data(form=form, problem=error))
        response.status_code = error.status
        if error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response

    def _wait(self, step: str, key: str) -> HttpResponse:
        typed = self.request.POST
        who = getattr(self, "waiting", None) or door.Who(typed.get("username", ""), typed.get("organization", ""))
        door.keep(self.request, door.Waiting(step, who.username, who.organization, key, self.get_redirect_url()))
        return redirect("sign_in_code" if step == "code" else "sign_in_expired")

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        known = {"with_keystone": bool(settings.KEYSTONE["url"]), "with_passkeys": passkeys.work_at(self.request)}
        return super().get_context_data(**more) | known


class SignInPasskey(SignIn):
    """Sign in with nothing typed. What the browser is to be asked is fetched when somebody wants it."""

    form_class: Any = PasskeyForm

    def shown_form(self, **kwargs: Any) -> Any:
        """The plain one: nothing was typed that could be kept."""
        return SignInForm()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Asking is for everybody: who is in already shows with the answer that it is still they."""
        return self.get(request) if request.method in ("GET", "HEAD") else super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return JsonResponse(passkeys.ask(request), headers={"Cache-Control": "no-store"})

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Failures are counted by the passkey that was shown: one that is known no more locks out no other."""
        request.POST = request.POST.copy()  # type: ignore[assignment]  # floods look there for a name
        request.POST.update({"username": passkeys.shown_as(request.POST.get("credential", ""))})
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        door.forget(self.request)
        return super().form_valid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        said = form.non_field_errors()
        return self.render_to_response(self.get_context_data(form=SignInForm(), said=said))


class _Between(SignIn):
    """A page only for who waits at this step; everybody else is led back to the door."""

    step = ""
    waiting: door.Waiting

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        waiting = door.waiting_of(request, self.step)
        if waiting is None:
            return redirect("sign_in")
        self.waiting = waiting
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.POST = request.POST.copy()  # type: ignore[assignment]  # the first step's, for all that asks who tries
        request.POST.update({"username": self.waiting.username, "organization": self.waiting.organization})
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"waiting": self.waiting}

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        return self.waiting.next

    def form_valid(self, form: Any) -> HttpResponse:
        door.forget(self.request)
        return super().form_valid(form)


class SignInCode(_Between):
    form_class: Any = CodeForm
    template_name = "door/code.html"
    step = "code"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Which factors there are is told to whoever gave the right password, and nobody else."""
        local = not self.waiting.organization
        kinds = kinds_of(self.waiting.key) if local else {"totp"}
        return super().get_context_data(**more) | {"kinds": kinds, "next": self.waiting.next}


class SignInExpired(_Between):
    form_class: Any = ExpiredForm
    template_name = "door/expired.html"
    step = "expired"

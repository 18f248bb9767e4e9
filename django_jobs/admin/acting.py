"""What the pages share on which something can be done: who may, to which rows, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from django_jobs.admin.readonly import ReadOnlyAdmin, Row
from django_jobs.admin.tally import Tally
from django_jobs.serializers.limits import clean

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class ActingAdmin(ReadOnlyAdmin[Row]):
    """A model admin whose rows are changed by its actions alone.

    The page of a row has a button for each of them, which posts to the list as the list itself does: there is
    one way to act, and it needs no JavaScript.

    Attributes:
        hints: what each action does, in a sentence for the page of a row.
    """

    actions_on_bottom = False
    actions_on_top = True
    hints: Mapping[str, StrOrPromise] = {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Refuse what Django would pass by in silence, or fail at: a forbidden action, a key that is none."""
        if request.method == "POST":
            self._check_actions(request)
            self._check_keys(request)
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the history, and a button for each action that this row and this person may have."""
        row = context["original"]
        allowed = dict(self.get_action_choices(request, default_choices=[]))
        names = [name for name in allowed if name in self.actions_for(row)]
        context["acting"] = {
            "url": self.list_url(),
            "buttons": [(name, allowed[name], self.hints.get(name, "")) for name in names],
            "checkbox": ACTION_CHECKBOX_NAME,
            "key": str(row.pk),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def actions_for(self, row: Row) -> list[str]:
        """Return the names of the actions that the page of this row offers."""
        return []

    def may(self, request: HttpRequest, codename: str) -> bool:
        """Return whether a person has one of the app's own permissions."""
        user: Any = request.user
        return bool(user.has_perm(f"{self.opts.app_label}.{codename}"))

    def keys(self, request: HttpRequest) -> list[str]:
        """Return the keys of the rows that were picked by hand, each once."""
        return list(dict.fromkeys(request.POST.getlist(ACTION_CHECKBOX_NAME)))

    def everything(self, request: HttpRequest) -> bool:
        """Return whether all that matches the list's filters is meant, on every page."""
        return bool(forms.BooleanField(required=False).to_python(request.POST.get("select_across")))

    def list_url(self) -> str:
        """Return the list's address on this very admin site."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"
        return reverse(name, current_app=self.admin_site.name)

    def back(self, request: HttpRequest) -> str:
        """Return the address of the page that the action was asked for on, where it still is."""
        keys = self.keys(request) if request.POST.get("from") == "page" else []
        if keys and self.get_object(request, keys[0]):
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return reverse(name, args=[quote(keys[0])], current_app=self.admin_site.name)
        return request.get_full_path()

    def answer(self, request: HttpRequest, tally: Tally) -> HttpResponse:
        """Say what was done, on the page that it was asked for on."""
        level = messages.SUCCESS if tally.changed else messages.WARNING
        self.message_user(request, str(tally), level)
        return HttpResponseRedirect(self.back(request))

    def confirmation(self, request: HttpRequest, action: str, **context: Any) -> TemplateResponse:
        """Return the page that asks once more, and posts the same again with what was answered."""
        request.current_app = self.admin_site.name
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
            "keys": self.keys(request),
            "everything": self.everything(request),
            "from": request.POST.get("from", ""),
            "back": self.back(request),
        }
        return TemplateResponse(request, "admin/django_jobs/confirmation.html", {**shared, **context})

    def _check_actions(self, request: HttpRequest) -> None:
        given: list[Any] = list(self.actions or ())
        ours = {getattr(each, "__name__", each) for each in given}
        asked = ours.intersection(request.POST.getlist("action"))
        if asked.difference(self.get_actions(request)):
            raise PermissionDenied

    def _check_keys(self, request: HttpRequest) -> None:
        for key in self.keys(request):
            try:
                self.opts.pk.to_python(key)
            except ValidationError as error:
                raise BadRequest("a key that no row can have") from error
            if key != clean(key):
                raise BadRequest("a key that no database can look for")

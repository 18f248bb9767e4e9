"""The content security policy that every page has to bear."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# As strict as Django's own admin bears: nothing inline, nothing from elsewhere, no data: URLs.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def strict(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Send the policy with every answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return answer

"""The preview: every mail, in every language, as text and as HTML, with invented values."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.clickjacking import xframe_options_sameorigin

from . import languages
from .mails import MAILS, Mail, Reader, Rendered, language_of, render
from .models import MailPreview
from .samples import LEARNER, OPERATOR, SAMPLES

#: A mail's HTML is shown as a mail program would: no scripts, nothing fetched, nothing submitted, no session.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    ]
)

#: A template that an operator brings may be wrong, and a translation may name a value that there is not.
BROKEN = (TemplateSyntaxError, TemplateDoesNotExist, KeyError, ValueError, TypeError)


def _sent_in(mail: Mail) -> str:
    """The translation that it goes out in."""
    return languages.shown_in(language_of(mail)) or languages.SOURCE


@admin.register(MailPreview)
class MailPreviewAdmin(admin.ModelAdmin):
    """Pages without rows. To see them takes the permission "Can view e-mail"."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        """In place of the pages of rows: there are no rows."""
        view, name = self.admin_site.admin_view, "notifications_mailpreview"
        return [
            path("", view(self.list_page), name=f"{name}_changelist"),
            path("<slug:name>/<slug:language>/", view(self.mail_page), name=f"{name}_mail"),
            path("<slug:name>/<slug:language>/html/", view(self.html_page), name=f"{name}_html"),
        ]

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """All mails."""
        self._must_be_allowed(request)
        rows = [(mail, _sent_in(mail)) for mail in MAILS.values()]
        return self._page(request, "mails", "E-mails", rows=rows)

    def mail_page(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """One mail in one language: its headers, its HTML in frames of two widths, its text."""
        mail = self._found(request, name, language)
        try:
            rendered: Rendered | None = render(mail, SAMPLES[mail.name], language)
            broken = ""
        except BROKEN as error:
            rendered, broken = None, f"{type(error).__name__}: {error}"
        return self._page(
            request,
            "mail",
            mail.name,
            mail=mail,
            rendered=rendered,
            broken=broken,
            language=language,
            sent_in=_sent_in(mail),
            sender=settings.DEFAULT_FROM_EMAIL,
            to={Reader.LEARNER: LEARNER, Reader.OPERATOR: OPERATOR}[mail.reader],
        )

    def html_page(self, request: HttpRequest, name: str, language: str) -> HttpResponse:
        """The mail's HTML alone, as it is sent: for the frames of its page."""
        mail = self._found(request, name, language)
        try:
            response = HttpResponse(render(mail, SAMPLES[mail.name], language).html)
        except BROKEN:
            response = HttpResponse("The template is broken.", content_type="text/plain", status=500)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return xframe_options_sameorigin(lambda request: response)(request)

    def _must_be_allowed(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _found(self, request: HttpRequest, name: str, language: str) -> Mail:
        self._must_be_allowed(request)
        if name not in MAILS or language not in languages.available():
            raise Http404("There is no such mail, or not in this language.")
        return MAILS[name]

    def _page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"notifications/admin/{template}.html",
            {
                **self.admin_site.each_context(request),
                "title": title,
                "opts": self.opts,
                "mails": list(MAILS.values()),
                "languages": languages.available(),
                **context,
            },
        )

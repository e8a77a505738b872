"""Which settings production has, and which of them nobody can tell."""

from __future__ import annotations

import pytest

from prodlint.analysis.session import Session
from prodlint.program.web.django_settings import production_settings

WSGI = """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
application = get_wsgi_application()
"""
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
TEMPLATE = """\
ROOT_URLCONF = "urls"
MIDDLEWARE = [
{%- if cookiecutter.rest_api != 'None' %}
    "corsheaders.middleware.CorsMiddleware",
{%- endif %}
]
"""


@pytest.mark.parametrize(("settings", "has_csrf"), [('MIDDLEWARE = ["a.b"]\n', False), (TEMPLATE, None)])
def test_what_a_template_makes_is_not_known(settings: str, has_csrf: bool | None) -> None:
    program = Session.from_memory({"wsgi.py": WSGI, "settings.py": settings}).program
    assert [each.has("MIDDLEWARE", CSRF) for each in production_settings(program)] == [has_csrf]

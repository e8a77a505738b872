"""What prodlint reads in Django's settings, and what `manage.py check --deploy` says of them: the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from prodlint.analysis.session import Session
from prodlint.findings import Fix
from tests.pages import fix
from tests.tools import missing

RULE = "django-deploy-setting"
SETTINGS = {"select": [RULE]}
ALL = """
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
"""
KEY = 'SECRET_KEY = "0c4n3p8d1u0w6mkzkv9yas2et7q5xjrlhfgbi0c4n3p8d1u0w6mkzkv9yas2et7q5xjrlhfgbi"\n'
AS_IT_SHOULD_BE = """
ALLOWED_HOSTS = ["shop.example"]
SECURE_HSTS_SECONDS = 30 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SECURE_SSL_REDIRECT = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
"""
OFF = """
SECRET_KEY = "short"
SECRET_KEY_FALLBACKS = ["old"]
INSTALLED_APPS = ["django.contrib.sessions"]
ALLOWED_HOSTS = []
SECURE_HSTS_SECONDS = 3600
SECURE_CONTENT_TYPE_NOSNIFF = False
SECURE_SSL_REDIRECT = 1
SESSION_COOKIE_SECURE = False
SESSION_COOKIE_HTTPONLY = False
CSRF_COOKIE_SECURE = None
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_REFERRER_POLICY = None
SECURE_CROSS_ORIGIN_OPENER_POLICY = "none"
"""
IN_PARTS = """
FIRST = ["django.middleware.security.SecurityMiddleware"]
MIDDLEWARE = FIRST + ["django.middleware.common.CommonMiddleware"]
MIDDLEWARE.append("django.middleware.csrf.CsrfViewMiddleware")
"""
BARE = 'MIDDLEWARE = [\n    "django.middleware.common.CommonMiddleware",\n]\n'
CASES = {
    "nothing but a key": KEY,
    "all middleware": KEY + ALL,
    "as it should be": KEY + ALL + AS_IT_SHOULD_BE,
    "switched off": ALL + OFF,
    "hardly any middleware": KEY + BARE,
    "middleware missing, else as it should be": KEY + BARE + AS_IT_SHOULD_BE,
    "sessions as an app alone": KEY + 'INSTALLED_APPS = ["django.contrib.sessions"]\nSESSION_COOKIE_HTTPONLY = False\n',
    "sessions as middleware alone": KEY + ALL + "SESSION_COOKIE_HTTPONLY = False\n",
    "the token in the session": KEY + ALL + 'CSRF_USE_SESSIONS = True\nSECURE_REFERRER_POLICY = "same-orign"\n',
    "silenced": KEY + ALL + 'SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W020"]\n',
    "middleware in parts": KEY + IN_PARTS,
}
"""Settings of one module, beside `ROOT_URLCONF`."""


def warnings(files: Mapping[str, str], folder: Path, module: str) -> set[str]:
    """What Django's own check says, by number."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": module,
        "SECRET_KEY": "k5" * 40 + "abc",
    }
    command = [sys.executable, "-m", "django", "check", "--deploy", "--tag", "security"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True)
    assert "System check identified" in done.stdout + done.stderr, done.stderr
    return set(re.findall(r"\(security\.(\w+)\)", done.stdout + done.stderr))


def said(files: Mapping[str, str]) -> dict[str, bool]:
    """What prodlint says, by number, and whether it has a fix for it."""
    session = Session.from_memory(dict(files), SETTINGS)
    assert not session.analysis.errors
    return {finding.data["check"]: isinstance(session.fix_for(finding), Fix) for finding in session.findings()}


def agree(files: Mapping[str, str], folder: Path, module: str) -> None:
    """Before and after prodlint's fixes, Django and prodlint say the same; and what has a fix is mended by it."""
    before = said(files)
    assert warnings(files, folder / "before", module) - {"W018"} == before.keys()
    fixed, withheld = fix(files, SETTINGS, RULE)
    assert not withheld
    after = said(fixed)
    assert warnings(fixed, folder / "after", module) - {"W018"} == after.keys()
    assert not any(after.values())
    assert after.keys() & before.keys() == {number for number, has_fix in before.items() if not has_fix}


@pytest.fixture(autouse=True)
def django() -> None:
    if not _has_django():
        missing("django is not installed (pip install -e '.[behaviour]')")


def _has_django() -> bool:
    return subprocess.run([sys.executable, "-c", "import django"], capture_output=True).returncode == 0


@pytest.mark.proves("django-deploy-setting")
def test_django_warns_of_what_startproject_writes_and_prodlint_says_the_same(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", str(tmp_path)], check=True)
    files = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.py")}
    assert {"W004", "W008", "W009", "W012", "W016", "W020"} <= said(files).keys()
    agree(files, tmp_path, "shop.settings")


@pytest.mark.proves("django-deploy-setting")
@pytest.mark.parametrize("title", CASES)
def test_django_and_prodlint_agree(title: str, tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/urls.py": "urlpatterns = []\n",
        "shop/settings.py": 'ROOT_URLCONF = "shop.urls"\n' + CASES[title],
        "shop/wsgi.py": (
            "import os\n\nfrom django.core.wsgi import get_wsgi_application\n\n"
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\napplication = get_wsgi_application()\n'
        ),
    }
    agree(files, tmp_path, "shop.settings")

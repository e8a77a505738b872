"""A deployment format is described in `prodlint/models/deployment_formats.py`, a framework in `prodlint/models/frameworks/`.

All other code asks those descriptions what sets one format or framework apart, so that another one is added in one place.
How often code names one all the same is below, with the reason. A number may fall, and none may grow.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from prodlint.models.deployment_formats import KINDS
from prodlint.models.frameworks import FRAMEWORKS
from tests.pages import ROOT

PACKAGE = ROOT / "prodlint"

FORMAT_HOMES = (
    "extract/deployment/",
    "models/deployment_formats.py",
    # What a file of a format starts, one module a format.
    "program/services/compose.py",
    "program/services/containers.py",
    "program/services/kubernetes.py",
    "program/services/platforms.py",
    "program/services/pm2.py",
    "program/services/scripts.py",
    "program/services/supervised.py",
    "program/services/systemd_units.py",
    # How a file of each format is edited.
    "fixes/restart_policies.py",
    "fixes/start_commands.py",
    "fixes/variables.py",
)
FRAMEWORK_HOMES = (
    "models/",
    "checks/environment/django_deploy_setting.py",
    "program/web/django_middleware.py",
    "program/web/django_settings.py",
    "program/web/express_apps.py",
)

_ITS_RULE = "a rule about that format or framework alone"
_READS = "looks something up in files of that format"
_PROGRAM = "the program of that name, in a command"
_OTHER = "another thing of that name"
_DATA = "a key of the rule's data"
_FIX = "an import or a statement that a fix writes"

FORMATS_NAMED = {
    "checks/cluster/single_process.py": (3, _PROGRAM),
    "checks/environment/dev_dependencies_installed.py": (6, _READS),
    "checks/environment/env_in_shell_profile.py": (1, _ITS_RULE),
    "checks/environment/malformed_unit_environment.py": (1, _ITS_RULE),
    "checks/environment/production_env_misspelt.py": (1, _ITS_RULE),
    "checks/load_balancing/single_upstream.py": (1, "compose names its services for each other"),
    "checks/restart/broken_unit.py": (4, _ITS_RULE),
    "checks/restart/daemonizes_in_foreground.py": (3, _PROGRAM),
    "checks/restart/exec_form_with_shell_syntax.py": (7, _ITS_RULE),
    "checks/restart/logs_thrown_away.py": (1, _READS),
    "checks/restart/low_file_limit.py": (7, _ITS_RULE),
    "checks/restart/no_auto_restart.py": (2, _READS),
    "checks/restart/no_healthcheck.py": (1, _READS),
    "checks/restart/no_respawn_limit.py": (4, _ITS_RULE),
    "checks/restart/pm2_runs_npm.py": (1, _ITS_RULE),
    "checks/restart/pm2_watch_in_production.py": (1, _ITS_RULE),
    "checks/restart/restart_gives_up.py": (3, "a rule about units; the program of that name"),
    "checks/restart/retired_process_manager.py": (4, _READS),
    "checks/restart/unbounded_file_limit.py": (1, _ITS_RULE),
    "checks/restart/unit_not_enabled.py": (2, _ITS_RULE),
    "checks/reverse_proxy/exposed_app_port.py": (2, "compose publishes ports; a program"),
    "checks/reverse_proxy/no_reverse_proxy.py": (1, _PROGRAM),
    "cli/completion.py": (1, _OTHER),
    "fixes/process_files.py": (1, "a key of PM2's files"),
    "lsp/actions.py": (1, "JSON has no comments"),
    "output/highlight.py": (1, "the name of a file"),
    "program/linking/manifests.py": (1, _READS),
    "program/linking/partition.py": (4, _READS),
    "program/linking/started_files.py": (10, _READS),
    "program/proxies/__init__.py": (4, _READS),
    "program/proxies/traefik.py": (1, _READS),
    "program/services/built_images.py": (9, _READS),
    "program/services/launches.py": (5, _READS),
    "program/services/model.py": (1, _OTHER),
    "program/services/project.py": (2, _READS),
    "program/services/signals.py": (1, _OTHER),
    "program/services/start_faults.py": (2, _PROGRAM),
    "program/services/start_texts.py": (1, _READS),
    "program/services/supervision.py": (3, _PROGRAM),
    "program/services/variants.py": (4, "a script is its text; the units of systemd"),
    "program/services/worker_counts.py": (1, _PROGRAM),
}
FRAMEWORKS_NAMED = {
    "checks/caching/static_without_max_age.py": (5, "how files are served; a key of the rule's data"),
    "checks/compression/compression_order.py": (4, "Fastify loads plug-ins later; a key of the rule's data"),
    "checks/compression/no_compression.py": (11, "Django's middleware; keys of the rule's data"),
    "checks/environment/dev_server.py": (3, _PROGRAM),
    "checks/environment/env_overridden_in_code.py": (1, "`app.set('env', …)`"),
    "checks/environment/production_env_unset.py": (3, "`app.set('env', …)`"),
    "checks/environment/template_cache_off.py": (2, _ITS_RULE),
    "checks/errors/misplaced_error_handler.py": (2, _ITS_RULE),
    "checks/errors/missing_error_handler.py": (2, _ITS_RULE),
    "checks/errors/promise_as_condition.py": (4, "what a handler of Express is given"),
    "checks/errors/unguarded_parse.py": (3, "what Express answers to a client's fault"),
    "checks/errors/unhandled_async_handler.py": (1, _FIX),
    "checks/errors/unhandled_promise.py": (3, _FIX),
    "checks/logging/console_logging.py": (1, "the logger of that name"),
    "checks/restart/broken_unit.py": (1, _PROGRAM),
    "checks/reverse_proxy/no_trust_proxy.py": (5, _DATA),
    "extract/deployment/commands.py": (16, _PROGRAM),
    "output/services.py": (5, "the settings of Django are its environment"),
    "program/code/callbacks.py": (2, "what a handler of Express is given; how its app listens"),
    "program/code/client_input.py": (2, "what FastAPI injects; the request of a view"),
    "program/code/control_flow.py": (2, "what a handler of Express is given"),
    "program/code/loggers.py": (5, "a table of loggers"),
    "program/code/memory_stores.py": (6, "a table of stores"),
    "program/linking/call_graph.py": (
        5,
        "the handlers of a project's own decorators; error middleware has four parameters",
    ),
    "program/linking/implicit_calls.py": (1, "a table of cached properties"),
    "program/linking/resolver.py": (1, "keys that aiohttp types"),
    "program/linking/routes.py": (12, "how each framework writes its routes"),
    "program/services/start_faults.py": (2, _PROGRAM),
    "program/services/worker_counts.py": (2, _PROGRAM),
    "checks/reverse_proxy/missing_proxy_headers.py": (2, "whether an app takes WebSockets; keys of frameworks"),
    "program/web/exposure.py": (4, _PROGRAM),
    "program/web/process_counts.py": (1, "a database of Django"),
    "program/web/web_apps.py": (1, "Express makes routers as it makes apps"),
}


@cache
def _strings(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _named(is_name: Callable[[str], bool], homes: tuple[str, ...]) -> dict[str, int]:
    """How often each module outside of `homes` has such a name."""
    found: Counter[str] = Counter()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(homes):
            found[name] += sum(map(is_name, _strings(path)))
    return {name: count for name, count in sorted(found.items()) if count}


def _is_format(text: str) -> bool:
    return text in KINDS


_FRAMEWORK_NAMES = {name for each in FRAMEWORKS if each.package for name in (each.name, each.package)} - {"next"}
"""`next` is Next.js, and what a handler of Express is given."""
_ENDS = ("", ".", "(", "[", "/")


def _is_framework(text: str) -> bool:
    """Whether a text is the name of a framework, or begins with the way to something in it: `express().get`."""
    return any(text.startswith(name) and text[len(name) :][:1] in _ENDS for name in _FRAMEWORK_NAMES)


@pytest.mark.parametrize(
    ("is_name", "homes", "allowed"),
    [(_is_format, FORMAT_HOMES, FORMATS_NAMED), (_is_framework, FRAMEWORK_HOMES, FRAMEWORKS_NAMED)],
    ids=["formats", "frameworks"],
)
def test_named_outside_of_its_description(
    is_name: Callable[[str], bool], homes: tuple[str, ...], allowed: dict[str, tuple[int, str]]
) -> None:
    found = _named(is_name, homes)
    known = {name: count for name, (count, _) in allowed.items()}
    assert found == {name: min(count, known.get(name, 0)) for name, count in found.items()}

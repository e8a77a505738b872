"""Which service runs a source file."""

from __future__ import annotations

from prodlint.analysis.session import Session
from prodlint.program.linking.program import Program
from prodlint.program.services import service_of, services_of

EXPRESS = "const app = require('express')();\nrequire('./routes')(app);\napp.listen(3000);\n"
ROUTES = "const shared = require('../shared');\nmodule.exports = (app) => app.get('/', shared);\n"
DOCKERFILE = 'FROM node:22\nCOPY . /app\nWORKDIR /app\nCMD ["node", "server.js"]\n'
SERVICE = {"server.js": EXPRESS, "routes.js": ROUTES, "Dockerfile": DOCKERFILE, "package.json": '{"name": "x"}'}


def program_of(*folders: str) -> Program:
    files = {f"{folder}/{name}": text for folder in folders for name, text in SERVICE.items()}
    files["shared.js"] = "module.exports = (req, res) => res.end();\n"
    files["alone.js"] = "module.exports = 1;\n"
    return Session.from_memory(files).program


def test_the_service_whose_entry_imports_a_file_runs_it() -> None:
    program = program_of("web")
    service = service_of(program, "web/routes.js")
    assert service is not None
    assert service.entry == "web/server.js"
    assert service_of(program, "shared.js") is service


def test_a_file_that_several_services_import_is_run_by_each() -> None:
    program = program_of("web", "api")
    assert [service.entry for service in services_of(program, "shared.js")] == ["api/server.js", "web/server.js"]
    assert service_of(program, "shared.js") is None


def test_what_nothing_imports_and_what_is_no_source_file_is_run_by_none() -> None:
    program = program_of("web")
    assert service_of(program, "alone.js") is None
    assert service_of(program, "web/Dockerfile") is None


def test_a_file_beside_what_a_service_loads_belongs_to_the_only_service_of_its_package() -> None:
    files = {**SERVICE, "routes.js": "module.exports = (app) => {};\n", "plugins/auth.js": "module.exports = 1;\n"}
    program = Session.from_memory(files).program
    service = service_of(program, "plugins/auth.js")
    assert service is not None
    assert service.entry == "server.js"

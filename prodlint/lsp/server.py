"""The server: the protocol's requests and notifications, and when what is computed.

All analysis happens in one worker thread, one project at a time; the event loop only takes messages. What arrives while
a project is analysed is analysed together afterwards, so that typing never queues up.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from prodlint import __version__
from prodlint.analysis.store import default_directory
from prodlint.analysis.suppressions import UNUSED_RULE
from prodlint.findings import Finding
from prodlint.lsp import actions
from prodlint.lsp.convert import Converter, path_of
from prodlint.lsp.garbage import Garbage
from prodlint.lsp.open_project import OpenProject, Preferences
from prodlint.lsp.transport import Input, Protocol
from prodlint.project.discovery import holds_more_than_a_project, is_folder
from prodlint.project.settings import ConfigError
from prodlint.rulebook import Rule, RulebookError, load_rules, page_uri

FIX_ALL = f"{lsp.CodeActionKind.SourceFixAll.value}.prodlint"
RESTART = "prodlint.restart"
_WATCHED = (
    "**/*.{js,cjs,mjs,jsx,ts,mts,cts,tsx,py,json,toml,yml,yaml,txt,conf,service,sh,cfg,ini,vcl}",
    "**/{Dockerfile*,*.Dockerfile,Containerfile*,Procfile*,.env*,Caddyfile,Pipfile,.gitignore}",
)
_IDLE_SECONDS = 3.0

T = TypeVar("T")
_log = logging.getLogger(__name__)


class OpenDocument(NamedTuple):
    """A document that the editor has open: its URI as the client writes it, and its version there."""

    uri: str
    version: int | None


class Server(LanguageServer):
    """prodlint's language server."""

    def __init__(self) -> None:
        super().__init__("prodlint", __version__, protocol_cls=Protocol)
        self.preferences = Preferences()
        self.projects: list[OpenProject] = []
        self.documents: dict[Path, OpenDocument] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prodlint")
        self._running: dict[int, asyncio.Task[None]] = {}
        self._due: set[int] = set()
        """The projects (by id) of which something is not yet analysed."""
        self._published: dict[Path, str] = {}
        self._said: set[str] = set()
        self._cleaning: asyncio.TimerHandle | None = None
        self._cache_directory = default_directory()
        self._garbage = Garbage()

    def page(self, rule: Rule) -> str:
        """The URI of a rule's page; "" where there is no place for it."""
        directory = self._cache_directory
        return "" if directory is None else page_uri(rule, directory / f"pages-{__version__}")

    # ------------------------------------------------------------------ what the client can do

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics by itself; then nothing is pushed, or all would be there twice."""
        document = self.client_capabilities.text_document
        return document is not None and document.diagnostic is not None

    def _client(self, *path: str) -> Any:
        """A capability of the client by its way, None where it is not told."""
        found: Any = self.client_capabilities
        for name in path:
            found = getattr(found, name, None)
        return found

    # ------------------------------------------------------------------ projects

    def open_folder(self, folder: Path) -> None:
        """Another workspace folder. One that holds more than a project is not walked: its open documents are projects,
        or belong to some, of their own."""
        if holds_more_than_a_project(folder):
            self._tell_once(f"{folder} holds more than a project: open the folder of one")
            for path, document in self.documents.items():
                if self._project_of(path) is None:
                    self._edited(path, document.uri)
            return
        project = OpenProject(folder, self.preferences, self._cache_directory)
        self.projects.append(project)
        for path, document in self.documents.items():
            if path.is_relative_to(folder):
                project.edit(path, _encoded(self.workspace.get_text_document(document.uri).source))
        self.renew(project)

    def close_folder(self, folder: Path) -> None:
        """A workspace folder that is none any more: its findings go."""
        for project in [project for project in self.projects if project.folder == folder]:
            self.projects.remove(project)
            for path in [path for path in self._published if self._project_of(path) is None]:
                self._push(path, [])

    def _project_of(self, path: Path) -> OpenProject | None:
        """The project of a document: of several folders around it the innermost."""
        around = [project for project in self.projects if project.relative(path) is not None]
        return max(around, key=lambda project: len(project.root.parts), default=None)

    def project_for(self, uri: str) -> OpenProject | None:
        """The project of a document; an open document outside of all folders is a project, or belongs to one, of its
        own. None for what is no document of a project."""
        path = path_of(uri)
        project = self._project_of(path) if path is not None else None
        if project is None and path in self.documents and not is_folder(path):
            project = OpenProject(path, self.preferences, self._cache_directory)
            self.projects.append(project)
        return project

    def _edited(self, path: Path, uri: str) -> None:
        """An open document has another text."""
        if (project := self.project_for(uri)) is not None:
            project.edit(path, _encoded(self.workspace.get_text_document(uri).source))
            self.renew(project)

    def close_document(self, path: Path, uri: str) -> None:
        """A document is not open any more, and with it goes the project that was opened for it alone."""
        project = self.project_for(uri)
        self.documents.pop(path, None)
        if project is None:
            return
        project.close(path)
        if project.folder == path and not any(project.relative(other) is not None for other in self.documents):
            self.close_folder(path)
        else:
            self.renew(project)

    # ------------------------------------------------------------------ analysis

    async def in_worker(self, function: Callable[[], T]) -> T:
        """Runs something in the one thread that may touch sessions."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def renew(self, project: OpenProject) -> None:
        """Analyse a project soon. If that is under way, once more afterwards."""
        key = id(project)
        self._due.add(key)
        running = self._running.get(key)
        if running is None or running.done():
            self._running[key] = asyncio.ensure_future(self._renewed(project))

    async def settled(self, project: OpenProject) -> None:
        """Waits until everything that the client has told by now is analysed."""
        self.renew(project)
        await asyncio.shield(self._running[id(project)])

    async def _renewed(self, project: OpenProject) -> None:
        await asyncio.sleep(0)  # what came in one go is analysed in one go
        while id(project) in self._due:
            self._due.discard(id(project))
            before = project.session
            try:
                session = await self.in_worker(project.update)
            except (ConfigError, RulebookError) as error:
                self._tell_once(str(error))
                continue
            except Exception as error:
                self.complain("the analysis failed", error)
                continue
            if session is before:
                del before, session
                continue
            self._said.clear()
            for failed in session.analysis.errors:
                _log.warning("%s:%s: %s", failed.path, failed.line, failed.message)
            await self._publish(project)
            del before, session
            await self.in_worker(self._garbage.collect_if_due)
        self._clean_up_soon()

    def _clean_up_soon(self) -> None:
        """What is garbage goes when nobody types."""
        if self._cleaning is not None:
            self._cleaning.cancel()
        loop = asyncio.get_running_loop()
        self._cleaning = loop.call_later(_IDLE_SECONDS, lambda: self._pool.submit(self._garbage.collect))

    # ------------------------------------------------------------------ diagnostics

    def converter(self, project: OpenProject) -> Converter:
        """A converter for the state that was analysed last."""
        names = {name: self.documents[path].uri for path, name in self._named(project)}
        return Converter(project.root, project.read, self.workspace.position_encoding, names)

    def _named(self, project: OpenProject) -> Iterator[tuple[Path, str]]:
        """The open documents of a project, with their paths in it."""
        for path in list(self.documents):
            if (name := project.relative(path)) is not None:
                yield path, name

    def versions(self, project: OpenProject) -> dict[str, int | None]:
        """The versions of a project's open documents, by path."""
        return {name: self.documents[path].version for path, name in self._named(project)}

    def diagnostics(self, project: OpenProject) -> dict[Path, list[lsp.Diagnostic]]:
        """The diagnostics of a project, by the files they are in."""
        session = project.session
        if session is None:
            return {}
        converter = self.converter(project)
        pages = {name: self.page(rule) for name, rule in session.rules.items()}
        opened = {name: path for path, name in self._named(project)}
        return {
            opened.get(path, project.root / path): [
                converter.diagnostic(finding, session.severity_of(finding), pages[finding.rule]) for finding in findings
            ]
            for path, findings in project.findings().items()
        }

    async def _publish(self, project: OpenProject) -> None:
        if self.pulls:
            if self._client("workspace", "diagnostics", "refresh_support"):
                self.workspace_diagnostic_refresh(None)
            return
        found = await self.in_worker(lambda: self.diagnostics(project))
        here = {path for path in self._published if self._project_of(path) is project}
        for path in sorted(here | found.keys()):
            self._push(path, found.get(path, []))

    def document(self, path: Path) -> OpenDocument:
        """How the client knows a file."""
        return self.documents.get(path) or OpenDocument(path.as_uri(), None)

    def _push(self, path: Path, diagnostics: Sequence[lsp.Diagnostic]) -> None:
        uri, version = self.document(path)
        state = f"{version} {digest(diagnostics)}"
        if self._published.get(path, "") == state:
            return
        if diagnostics:
            self._published[path] = state
        elif self._published.pop(path, None) is None:
            return
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, list(diagnostics), version))

    # ------------------------------------------------------------------ saying that something is wrong

    def complain(self, what: str, error: BaseException) -> None:
        """Something failed that should not; the server goes on."""
        _log.error("%s", what, exc_info=error)
        self._tell_once(f"{what}: {type(error).__name__}: {error}")

    def _tell_once(self, message: str) -> None:
        """Shows a message, but not again with every letter that is typed."""
        if message not in self._said:
            self._said.add(message)
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"prodlint: {message}"))

    def shutdown(self) -> None:
        """Ends the worker as well."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        super().shutdown()  # type: ignore[no-untyped-call]


def digest(diagnostics: Iterable[lsp.Diagnostic]) -> str:
    """Equal for equal diagnostics."""
    return hashlib.sha256(repr(list(diagnostics)).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _encoded(text: str) -> bytes:
    """A document's bytes. A lone surrogate, which no file can hold, becomes one byte and stays one unit."""
    return text.encode("utf-8", "replace")


server = Server()


# ---------------------------------------------------------------------- life and settings


@server.feature(lsp.INITIALIZE)
def _initialize(ls: Server, params: lsp.InitializeParams) -> None:
    ls.preferences = _preferences(params.initialization_options, Preferences())


def _unless_it_is_the_end(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Over TCP, `exit` ends the task of the connection with `SystemExit`, which is no error."""
    if not isinstance(context.get("exception"), SystemExit):
        loop.default_exception_handler(context)


@server.feature(lsp.INITIALIZED)
def _initialized(ls: Server, params: lsp.InitializedParams) -> None:
    gc.disable()
    asyncio.get_running_loop().set_exception_handler(_unless_it_is_the_end)
    for folder in ls.workspace.folders.values():
        if (path := path_of(folder.uri)) is not None:
            ls.open_folder(path)
    if not ls.workspace.folders and ls.workspace.root_uri and (root := path_of(ls.workspace.root_uri)) is not None:
        ls.open_folder(root)
    if ls._client("workspace", "did_change_watched_files", "dynamic_registration"):
        watchers = [lsp.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
        options = lsp.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        registration = lsp.Registration("prodlint-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        ls.client_register_capability(lsp.RegistrationParams([registration]))


@server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
def _configured(ls: Server, params: lsp.DidChangeConfigurationParams) -> None:
    ls.preferences = _preferences(params.settings, ls.preferences)
    for project in ls.projects:
        project.preferences = ls.preferences
        project.reopen()
        ls.renew(project)


def _preferences(settings: Any, old: Preferences) -> Preferences:
    """What `{"prodlint": {"preview": …, "likely": …, "config": …}}` says, with or without the outer name. What is not
    named stays as it was, null is the default, and anything else is ignored, since editors send the settings of others
    too."""
    values = _table(settings)
    values = _table(values["prodlint"]) if "prodlint" in values else values
    default = Preferences()
    preview, likely, config = (values.get(name, getattr(old, name)) for name in ("preview", "likely", "config"))
    return Preferences(
        preview if preview is None or isinstance(preview, bool) else old.preview,
        default.likely if likely is None else likely if isinstance(likely, bool) else old.likely,
        _config(config, old.config),
    )


def _config(value: Any, old: Path | None) -> Path | None:
    if isinstance(value, str):
        return Path(value).absolute() if value else None
    return value if value is None or isinstance(value, Path) else old


def _table(value: Any) -> Mapping[str, Any]:
    """A JSON object, which pygls hands over as a mapping or as a named tuple."""
    if isinstance(value, Mapping):
        return value
    fields: Mapping[str, Any] = value._asdict() if hasattr(value, "_asdict") else {}
    return fields


@server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
def _folders(ls: Server, params: lsp.DidChangeWorkspaceFoldersParams) -> None:
    for folder in params.event.removed:
        if (path := path_of(folder.uri)) is not None:
            ls.close_folder(path)
    for folder in params.event.added:
        if (path := path_of(folder.uri)) is not None:
            ls.open_folder(path)


@server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def _watched(ls: Server, params: lsp.DidChangeWatchedFilesParams) -> None:
    paths = [path for change in params.changes if (path := path_of(change.uri)) is not None]
    for project in ls.projects:
        own = [path for path in paths if project.relative(path) is not None]
        if own:
            project.disk_changed(own)
            ls.renew(project)


# ---------------------------------------------------------------------- documents


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def _opened(ls: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    _changed_to(ls, params.text_document.uri, params.text_document.version)


@server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
def _changed(ls: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    _changed_to(ls, params.text_document.uri, params.text_document.version)


def _changed_to(ls: Server, uri: str, version: int) -> None:
    path = path_of(uri)
    if path is not None:
        before = ls.documents.get(path)
        if before is not None and before.version is not None and version <= before.version:
            _log.error("%s: version %d came after version %d", uri, version, before.version)
        ls.documents[path] = OpenDocument(uri, version)
        ls._edited(path, uri)


@server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
def _closed(ls: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    if (path := path_of(uri)) is not None:
        ls.close_document(path, uri)


# ---------------------------------------------------------------------- pulled diagnostics


@server.feature(
    lsp.TEXT_DOCUMENT_DIAGNOSTIC,
    lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=True, identifier="prodlint"),
)
async def _document_diagnostics(
    ls: Server, params: lsp.DocumentDiagnosticParams
) -> lsp.RelatedFullDocumentDiagnosticReport | lsp.RelatedUnchangedDocumentDiagnosticReport:
    path, project = path_of(params.text_document.uri), ls.project_for(params.text_document.uri)
    found: list[lsp.Diagnostic] = []
    if path is not None and project is not None:
        await ls.settled(project)
        found = (await ls.in_worker(lambda: ls.diagnostics(project))).get(path, [])
    state = digest(found)
    if params.previous_result_id == state:
        return lsp.RelatedUnchangedDocumentDiagnosticReport(state)
    return lsp.RelatedFullDocumentDiagnosticReport(found, result_id=state)


@server.feature(lsp.WORKSPACE_DIAGNOSTIC)
async def _workspace_diagnostics(ls: Server, params: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
    token = params.work_done_token
    if token is not None:
        ls.work_done_progress.begin(token, lsp.WorkDoneProgressBegin(title="prodlint", percentage=0))
    known = {path: each.value for each in params.previous_result_ids if (path := path_of(each.uri)) is not None}
    items: list[lsp.WorkspaceFullDocumentDiagnosticReport | lsp.WorkspaceUnchangedDocumentDiagnosticReport] = []
    try:
        for number, project in enumerate(list(ls.projects), 1):
            await ls.settled(project)
            found = await ls.in_worker(lambda project=project: ls.diagnostics(project))  # type: ignore[misc]
            for path in sorted(found.keys() | {path for path in known if ls._project_of(path) is project}):
                items.append(_report(ls, path, found.get(path, []), known.get(path)))
            if token is not None:
                share = round(100 * number / len(ls.projects))
                ls.work_done_progress.report(
                    token, lsp.WorkDoneProgressReport(message=project.root.name, percentage=share)
                )
    finally:
        if token is not None:
            ls.work_done_progress.end(token, lsp.WorkDoneProgressEnd())
    return lsp.WorkspaceDiagnosticReport(items)


def _report(
    ls: Server, path: Path, found: list[lsp.Diagnostic], known: str | None
) -> lsp.WorkspaceFullDocumentDiagnosticReport | lsp.WorkspaceUnchangedDocumentDiagnosticReport:
    uri, version = ls.document(path)
    state = digest(found)
    if state == known:
        return lsp.WorkspaceUnchangedDocumentDiagnosticReport(uri, state, version)
    return lsp.WorkspaceFullDocumentDiagnosticReport(uri, found, version, result_id=state)


# ---------------------------------------------------------------------- code actions


@server.feature(
    lsp.TEXT_DOCUMENT_CODE_ACTION,
    lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True),
)
async def _code_actions(ls: Server, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    uri = params.text_document.uri
    path, project = path_of(uri), ls.project_for(uri)
    if path is None or project is None:
        return []
    await ls.settled(project)
    return await ls.in_worker(lambda: _actions(ls, project, project.relative(path) or "", params))


def _actions(ls: Server, project: OpenProject, path: str, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    session = project.session
    if session is None:
        return []
    wanted = [kind.value if isinstance(kind, lsp.CodeActionKind) else kind for kind in params.context.only or ()]
    found = project.findings().get(path, [])
    offered: list[lsp.CodeAction] = []
    if _is_wanted(lsp.CodeActionKind.QuickFix.value, wanted):
        text = ls.converter(project).text(path)
        here = actions.overlapping(found, text, params.range.start.line + 1, params.range.end.line + 1)
        offered += (_quick_fix(ls, project, action, True) for action in actions.quick_fixes(session, here))
        others = [finding for finding in here if finding.rule != UNUSED_RULE]
        offered += (_quick_fix(ls, project, action, False) for action in actions.ignore_comments(session, others))
        if ls._client("text_document", "code_action", "disabled_support"):
            for finding in here:
                if isinstance(fix := session.fix_for(finding), str) and fix:
                    offered.append(_missing_fix(ls, project, finding, fix))
    if _is_wanted(FIX_ALL, wanted) and any(finding.confidence == "certain" for finding in found):
        data = {"uri": params.text_document.uri}
        action = lsp.CodeAction("Make all safe fixes of prodlint", FIX_ALL, data=data)
        offered.append(action if ls._client("text_document", "code_action", "resolve_support") else _fixed(ls, action))
    return offered


def _is_wanted(kind: str, wanted: Sequence[str]) -> bool:
    """Whether a kind is among the wanted ones, or below one of them."""
    return not wanted or any(kind == other or kind.startswith(f"{other}.") for other in wanted if other) or "" in wanted


def _quick_fix(ls: Server, project: OpenProject, action: actions.Action, is_fix: bool) -> lsp.CodeAction:
    session, converter = project.session, ls.converter(project)
    assert session is not None
    diagnostics = [
        converter.diagnostic(finding, session.severity_of(finding), ls.page(session.rules[finding.rule]))
        for finding in action.findings
    ]
    return lsp.CodeAction(
        action.title,
        lsp.CodeActionKind.QuickFix,
        diagnostics=diagnostics,
        is_preferred=action.is_safe if is_fix else None,
        edit=_edit(ls, project, converter, action.edits),
    )


def _missing_fix(ls: Server, project: OpenProject, finding: Finding, reason: str) -> lsp.CodeAction:
    """An action that an editor shows and does not offer, because it cannot be done."""
    session = project.session
    assert session is not None
    page = ls.page(session.rules[finding.rule])
    return lsp.CodeAction(
        f"Fix {finding.rule}",
        lsp.CodeActionKind.QuickFix,
        diagnostics=[ls.converter(project).diagnostic(finding, session.severity_of(finding), page)],
        disabled=lsp.CodeActionDisabled(reason),
    )


def _edit(ls: Server, project: OpenProject, converter: Converter, edits: Sequence[Any]) -> lsp.WorkspaceEdit:
    with_versions = bool(ls._client("workspace", "workspace_edit", "document_changes"))
    return converter.workspace_edit(edits, ls.versions(project), with_versions)


@server.feature(lsp.CODE_ACTION_RESOLVE)
async def _resolve(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    project = ls.project_for(action.data["uri"]) if isinstance(action.data, Mapping) else None
    if project is not None:
        await ls.settled(project)
        return await ls.in_worker(lambda: _fixed(ls, action))
    return action


def _fixed(ls: Server, action: lsp.CodeAction) -> lsp.CodeAction:
    """The action that makes all safe fixes, with its edit."""
    uri = action.data["uri"] if isinstance(action.data, Mapping) else ""
    path, project = path_of(uri), ls.project_for(uri)
    if path is not None and project is not None and project.session is not None:
        edits = actions.fix_everything(project.session, project.relative(path) or "")
        action.edit = _edit(ls, project, ls.converter(project), edits)
    return action


# ---------------------------------------------------------------------- hover


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
async def _hover(ls: Server, params: lsp.HoverParams) -> lsp.Hover | None:
    uri = params.text_document.uri
    path, project = path_of(uri), ls.project_for(uri)
    if path is None or project is None:
        return None
    await ls.settled(project)
    return await ls.in_worker(lambda: _hovered(ls, project, project.relative(path) or "", params.position))


def _hovered(ls: Server, project: OpenProject, path: str, position: lsp.Position) -> lsp.Hover | None:
    """The pages of the rules that a finding or an ignore comment at a place is about, and why there is no fix."""
    session = project.session
    if session is None:
        return None
    converter = ls.converter(project)
    names: dict[str, lsp.Range] = {}
    unfixed: dict[str, str] = {}
    for finding in project.findings().get(path, []):
        place = converter.range(finding.location)
        if place.start <= position <= place.end:
            names.setdefault(finding.rule, place)
            if isinstance(fix := session.fix_for(finding), str) and fix:
                unfixed[finding.rule] = f"*No fix here: {fix}.*\n\n"
    facts = session.facts.get(path)
    for directive in facts.directives if facts is not None else ():
        place = lsp.Range(converter.position(path, directive.start), converter.position(path, directive.end))
        if place.start <= position <= place.end:
            names |= {name: place for name in directive.rules if name not in names}
    known = load_rules()
    pages = [unfixed.get(name, "") + known[name].page for name in names if name in known]
    if not pages:
        return None
    first = next(place for name, place in names.items() if name in known)
    return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, "\n\n---\n\n".join(pages)), first)


@server.command(RESTART)
def _restart(ls: Server) -> None:
    """Reads everything anew."""
    for project in ls.projects:
        project.reopen()
        ls.renew(project)


def serve(host: str | None = None, port: int | None = None) -> bool:
    """Runs the server on standard input and output, or on a TCP port for the first client that connects. Returns
    whether the client ended it as the protocol wants: by `shutdown` before `exit`. The thread that analyses may go on;
    whoever does not want to wait for it ends the process."""
    with suppress(SystemExit):  # how pygls ends
        if port is None:
            protocol = server.protocol
            assert isinstance(protocol, Protocol)
            server.start_io(Input(sys.stdin.buffer, protocol))  # type: ignore[arg-type]
        else:
            server.start_tcp(host or "127.0.0.1", port)
    return bool(server.protocol._shutdown)

"""Which values of Python code come from a client: a request's body, parameters, headers, files, a socket's messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prodlint.facts import NONE, ValueKind
from prodlint.lazy_regex import regex
from prodlint.models.frameworks import BY_NAME, INJECTS
from prodlint.models.frameworks.model import Role
from prodlint.program.linking.resolver import CallSite, File, argument_of
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_REQUEST = regex(
    r"(?:flask|quart)\.request\.(?!json\b|get_json\b|endpoint|environ|method|view_args|url_rule|blueprint)\w+.*"
    r"|(?:fastapi|starlette)\.(?:\w+\.)?(?:Request|WebSocket|UploadFile)\(\)\.(?!state|app|scope|url|client|session|json\b)\w+.*"
    r"|aiohttp\.web\.(?:Base)?Request\(\)\.(?!app|match_info|config_dict|transport|json\b)\w+.*"
    r"|aiohttp\.web\.WebSocketResponse\(\)\.receive\w*\(\).*"
)
_VIEW_DATA = frozenset({"body", "POST", "GET", "headers", "COOKIES", "FILES", "META", "query_params", "read"})
_CONVERTS = frozenset({"str", "bytes", "b64decode", "urlsafe_b64decode", "unquote", "unquote_plus", "unhexlify"})
_INJECTED = INJECTS | {"fastapi.params.Depends"}
_DEEPEST = 12

IsGuarded = Callable[[CallSite], bool]


class Clients:
    """Answers about the values of one program."""

    def __init__(self, program: Program, is_guarded: IsGuarded) -> None:
        """`is_guarded`: whether a call is made where what the callee raises is caught; such callers do not count."""
        self._program = program
        self._is_guarded = is_guarded

    def sends(self, file: File, value: int) -> bool:
        """Whether a value is, on some path, what a client sent."""
        return self._sends(file, value, frozenset())

    def _sends(self, file: File, value: int, seen: frozenset[tuple[int, int]]) -> bool:
        key = (file.index, value)
        if value == NONE or key in seen or len(seen) > _DEEPEST:
            return False
        if not self._is_passed(file, value) and any(
            isinstance(target, Api) and _REQUEST.fullmatch(target.path)
            for target in self._program.resolver.resolve(file, value)
        ):
            return True
        seen = seen | {key}
        fact = file.facts.values[value]
        if fact.kind is ValueKind.PARAM:
            return self._parameter(file, fact.ref, fact.items[0] if fact.items else 0, seen)
        if fact.kind is ValueKind.BINDING:
            return any(self._sends(file, item, seen) for item in file.facts.bindings[fact.ref].values)
        if fact.kind is ValueKind.MEMBER and self._is_view_request(file, fact.ref):
            return fact.text in _VIEW_DATA
        if fact.kind is ValueKind.CALL:
            call = file.facts.calls[fact.ref]
            callee = file.facts.values[call.callee]
            if callee.text in _CONVERTS and call.args:
                return self._sends(file, call.args[0], seen)
            return callee.kind is ValueKind.MEMBER and self._sends(file, callee.ref, seen)
        if fact.kind in (ValueKind.AWAIT, ValueKind.SUBSCRIPT, ValueKind.MEMBER, ValueKind.ELEMENT):
            return self._sends(file, fact.ref, seen)
        return fact.kind is ValueKind.OP and any(self._sends(file, item, seen) for item in fact.items)

    def _is_passed(self, file: File, value: int) -> bool:
        """Whether a value is made of a parameter without a declared type: what it is depends on who calls, and on
        whether that caller catches."""
        fact = file.facts.values[value]
        for _ in range(_DEEPEST):
            if fact.kind is ValueKind.CALL:
                fact = file.facts.values[file.facts.calls[fact.ref].callee]
            elif fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.AWAIT, ValueKind.ELEMENT):
                fact = file.facts.values[fact.ref]
            elif fact.kind is ValueKind.BINDING and file.facts.bindings[fact.ref].values:
                fact = file.facts.values[file.facts.bindings[fact.ref].values[0]]
            else:
                break
        if fact.kind is not ValueKind.PARAM:
            return False
        params = file.facts.functions[fact.ref].params
        position = fact.items[0] if fact.items else 0
        given = (file.fn_base + fact.ref, position) in self._program.resolver.parameters
        return not given and (position >= len(params) or params[position].annotation == NONE)

    def _is_view_request(self, file: File, value: int) -> bool:
        """Whether a value is the request that a Django view is given."""
        fact = file.facts.values[value]
        if fact.kind is not ValueKind.PARAM or (fact.items and fact.items[0] > 0):
            return False
        return any(
            registration.framework == "django" and registration.role is Role.HANDLER
            for registration in self._program.registrations_of.get(file.fn_base + fact.ref, ())
        )

    def _parameter(self, file: File, function: int, position: int, seen: frozenset[tuple[int, int]]) -> bool:
        """A parameter of a FastAPI handler is sent by the client; one of a helper is what its callers pass."""
        fact = file.facts.functions[function]
        id_ = file.fn_base + function
        for registration in self._program.registrations_of.get(id_, ()):
            if (
                BY_NAME[registration.framework].fills_parameters
                and registration.role is Role.HANDLER
                and registration.certain
            ):
                return position < len(fact.params) and self._is_text(file, function, position)
        return any(
            not self._is_guarded(site) and self._sends(site.file, argument_of(site.call, fact, position), seen)
            for site in self._program.resolver.callers.get(id_, ())
        )

    def _is_text(self, file: File, function: int, position: int) -> bool:
        """Whether a parameter is declared as text, bytes or a file, and not injected."""
        param = file.facts.functions[function].params[position]
        for value in (param.default, *param.metadata):
            fact = self._program.value(file, value)
            if fact.kind is ValueKind.CALL:
                callee = file.facts.calls[fact.ref].callee
                if self._program.resolver.api_of(file, callee) in _INJECTED:
                    return False
        return self._program.value(file, param.annotation).text in ("str", "bytes", "UploadFile")

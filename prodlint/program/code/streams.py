"""Emitters whose `'error'` event nobody listens to: Node.js then throws the error where nobody can catch it.

Source: Node's documentation of `EventEmitter` ("Error events") and `readable.pipe`.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, Call, RegionKind, Use, ValueKind
from prodlint.program.code.callbacks import LISTENS
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Fn

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_ANSWERS_ITSELF = LISTENS | frozenset(
    [
        "setEncoding",
        "setTimeout",
        "setNoDelay",
        "setKeepAlive",
        "resume",
        "pause",
        "ref",
        "unref",
        "off",
        "removeListener",
        "setMaxListeners",
    ]
)
"""Methods of emitters that answer the emitter."""
_DEEPEST = 5
"""How many functions that answer what others answer are looked into."""
_ENDS_CHAIN = frozenset(["end", "write", "destroy", "close", "kill", "disconnect", "send", "connect", "quit"])


class Unheard(msgspec.Struct, frozen=True):
    """An emitter without a listener for its errors: the call that makes it, and the `.pipe` call that it is part of."""

    made: CallSite
    pipe: int = NONE
    is_member: bool = False
    """Whether it is kept in a member of an object, where a listener may be added that nothing shows."""


_HOLDS = frozenset({ValueKind.OBJECT, ValueKind.ARRAY, ValueKind.SPREAD, ValueKind.OP, ValueKind.AWAIT})


class Streams:
    """Answers about the emitters of one program. `deaf` are APIs that take a stream and do not listen to it."""

    def __init__(self, program: Program, deaf: Set[str] = frozenset()) -> None:
        self._program = program
        self._deaf = deaf

    def unheard(self, site: CallSite) -> Unheard | None:
        """Whether what the call at `site` makes surely has no listener for `'error'`; None if it has one, or if it
        goes where that cannot be seen."""
        file, pipe = site.file, NONE
        at = site
        while True:
            call = at.call
            if call.use in (Use.STATEMENT, Use.VOIDED):
                return Unheard(site, pipe)
            if call.use is Use.ASSIGNED:
                return self._kept(site, call, pipe)
            if call.use not in (Use.RECEIVER, Use.ARGUMENT) or call.user == NONE:
                return None
            user = CallSite(file, call.user)
            name = self._program.value(file, user.call.callee).text
            if call.use is Use.ARGUMENT:
                if self._is_deaf(file, user.index):
                    return Unheard(site, pipe)
                if name != "pipe" or pipe != NONE:
                    return None
                pipe = user.index  # `x.pipe(made)` answers what was made
            elif name in LISTENS:
                if self._listens(file, user.call):
                    return None
            elif name == "pipe":
                return Unheard(site, user.index if pipe == NONE else pipe)
            elif name in _ENDS_CHAIN:
                return Unheard(site, pipe)
            elif name not in _ANSWERS_ITSELF:
                return None
            at = user

    def unheard_pipe(self, site: CallSite, is_emitter: Callable[[str], bool]) -> Unheard | None:
        """Whether what a `.pipe` call is made on surely has no listener for `'error'`, where it is made elsewhere: by
        functions of the program that answer it, or in several branches. `is_emitter`: of the API that makes it."""
        file = site.file
        receiver = file.facts.values[site.call.callee].ref
        makers = self._makers(file, receiver, is_emitter, 0)
        if not makers:
            return None
        fact = file.facts.values[receiver]
        if fact.kind is not ValueKind.CALL and self.is_heard(file, {receiver}):
            return None
        for maker in makers:
            call = maker.call
            if call.use is Use.ASSIGNED and call.user != NONE:
                is_here = maker.file is file and fact.kind is ValueKind.BINDING and fact.ref == call.user
                if not is_here and self._is_listened_to(maker.file, call.user):
                    return None
            elif call.use is not Use.RETURNED:
                return None
        made = CallSite(file, fact.ref) if fact.kind is ValueKind.CALL else site
        return Unheard(made, site.index)

    def _makers(self, file: File, value: int, is_emitter: Callable[[str], bool], depth: int) -> list[CallSite]:
        """The calls that make what a value is, those in functions of the program that answer it included; none where
        one of them is not known."""
        found: list[CallSite] = []
        for owner, item in self._program.resolver.origins(file, value):
            fact = owner.facts.values[item]
            if fact.kind is ValueKind.NULL:
                continue
            if fact.kind is not ValueKind.CALL or depth > _DEEPEST:
                return []
            site = CallSite(owner, fact.ref)
            for target in self._program.graph.targets[owner.index][fact.ref] or (None,):
                inner: list[CallSite] = []
                if isinstance(target, Api) and is_emitter(target.path):
                    inner = [site]
                elif isinstance(target, Fn):
                    home, _ = self._program.function(target.id)
                    returned = home.returns.get(target.id - home.fn_base, ())
                    parts = [self._makers(home, each, is_emitter, depth + 1) for each in returned]
                    inner = [maker for part in parts for maker in part] if all(parts) else []
                if not inner:
                    return []
                found += inner
        return found

    def _is_listened_to(self, file: File, binding: int) -> bool:
        """Whether a listener for errors is added to a variable, or it is given to what may add one."""
        facts = file.facts
        kept = {
            number
            for number, value in enumerate(facts.values)
            if value.kind is ValueKind.BINDING and value.ref == binding
        }
        for index, call in enumerate(facts.calls):
            callee = facts.values[call.callee]
            on_it = callee.kind is ValueKind.MEMBER and callee.ref in kept
            if on_it and callee.text in LISTENS and self._listens(file, call):
                return True
            if not kept.isdisjoint(call.args) and not self._is_deaf(file, index):
                return True
        return False

    def _listens(self, file: File, call: Call) -> bool:
        """Whether a call of `on` is, or may be, for errors."""
        event = self._program.value(file, call.args[0]) if call.args else None
        return event is None or event.kind is not ValueKind.STRING or event.text == "error"

    def _kept(self, site: CallSite, call: Call, pipe: int) -> Unheard | None:
        file = site.file
        if call.user == NONE:
            return self._stored(site, call, pipe)
        kept = {
            number
            for number, value in enumerate(file.facts.values)
            if value.kind is ValueKind.BINDING and value.ref == call.user
        }
        if len(file.facts.bindings[call.user].values) > 1 or self.is_heard(file, kept):
            return None
        return Unheard(site, self._pipe_of(file, kept) if pipe == NONE else pipe)

    def _stored(self, site: CallSite, call: Call, pipe: int) -> Unheard | None:
        """What is kept in a member: a listener may be added under that name in any module."""
        facts = site.file.facts
        names = {store.name for store in facts.stores if store.start <= call.start and call.end <= store.end}
        if not names or "" in names:
            return None
        for file in self._program.files:
            members = {number for name in names for number in file.members.get(name, ())}
            if members and self.is_heard(file, members):
                return None
        return Unheard(site, pipe, is_member=True)

    def is_heard(self, file: File, kept: Set[int]) -> bool:
        """Whether a listener for errors is added to one of some values, or one goes where that cannot be seen."""
        facts = file.facts
        holders = {
            number for part in kept for number in file.users_of.get(part, ()) if facts.values[number].kind in _HOLDS
        }
        for index, call in enumerate(facts.calls):
            callee = facts.values[call.callee]
            on_it = callee.kind is ValueKind.MEMBER and callee.ref in kept
            if on_it and callee.text in LISTENS and self._listens(file, call):
                return True
            is_pipe = callee.kind is ValueKind.MEMBER and callee.text == "pipe"
            if not kept.isdisjoint(call.args) and not (is_pipe or self._is_deaf(file, index)):
                return True
            if not holders.isdisjoint(call.args) and not self._is_deaf(file, index):
                return True
            if is_pipe and not kept.isdisjoint(call.args) and self._piped_is_heard(CallSite(file, index)):
                return True
        goes = kept | holders
        return (
            any(exit_.value in goes for exit_ in facts.exits)
            or any(store.value in goes or (store.target in kept and store.name == "onerror") for store in facts.stores)
            or any(not goes.isdisjoint(binding.values) for binding in facts.bindings)
            or any(export.value in goes for export in facts.exports)
            or any(region.kind is RegionKind.LOOP and not goes.isdisjoint(region.values) for region in facts.regions)
        )

    def _piped_is_heard(self, pipe: CallSite) -> bool:
        """Whether `x.pipe(kept)`, which answers what it is given, goes on with a listener, or goes elsewhere."""
        if pipe.call.use is Use.RECEIVER:
            user = pipe.file.facts.calls[pipe.call.user]
            name = self._program.value(pipe.file, user.callee).text
            return name != "pipe" and (name not in LISTENS or self._listens(pipe.file, user))
        return pipe.call.use is not Use.STATEMENT

    def _is_deaf(self, file: File, index: int) -> bool:
        targets = self._program.graph.targets[file.index][index]
        return any(isinstance(target, Api) and target.path in self._deaf for target in targets)

    def _pipe_of(self, file: File, kept: Set[int]) -> int:
        """The first `.pipe` call on one of some values."""
        for index, call in enumerate(file.facts.calls):
            callee = file.facts.values[call.callee]
            if callee.kind is ValueKind.MEMBER and callee.text == "pipe" and callee.ref in kept:
                return index
        return NONE

"""socket.io and ws: connections whose messages are handled on the event loop.

Source: socket.io's server API (namespaces, middlewares, events) and the README of `ws`.
"""

from prodlint.models.frameworks.model import Framework, Registers, Role, Slots, each

_IO = ("socket.io.Server()", "socket.io()")
_WS = ("ws.Server()", "ws.WebSocketServer()", "ws.default.Server()")
_OF_SOCKET = frozenset(
    (
        "id rooms data handshake client request conn connected nsp on once off onAny emit to in except join leave use"
        " disconnect send broadcast volatile local timeout compress"
    ).split()
)

FRAMEWORK = Framework(
    name="websockets",
    language="javascript",
    serves=("socket.io.Server", "socket.io", "ws.Server", "ws.WebSocketServer"),
    aliases=(
        *((f"{io}.{name}()", io) for io in _IO for name in ("of", "use", "to", "in", "on")),
        *((f"{io}.sockets", io) for io in _IO),
        ("socket.io.Namespace()", "socket.io.Server()"),
    ),
    slots=(
        Slots(("socket.io.Socket()",), own=_OF_SOCKET),
        Slots(("socket.io.Socket().data",)),
    ),
    registers=(
        Registers(
            each(_IO, "on"), first=1, event=("connection", "connect"), role=Role.EVENT, params=("socket.io.Socket()",)
        ),
        Registers(each(_IO, "use"), role=Role.MIDDLEWARE, params=("socket.io.Socket()",)),
        Registers(each(("socket.io.Socket()",), "on once onAny use"), role=Role.EVENT),
        Registers(
            each(_WS, "on"),
            first=1,
            event=("connection",),
            role=Role.EVENT,
            params=("ws.WebSocket()", "http.IncomingMessage()"),
        ),
        Registers(each(("ws.WebSocket()",), "on once"), first=1, role=Role.EVENT),
    ),
)

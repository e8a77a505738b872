"""Bots and tools whose handlers run on an event loop: discord.py, aiogram, python-telegram-bot, Slack's Bolt, Chainlit
and the Python SDK of the Model Context Protocol.

Source: the references of discord.py (events, commands, `ext.tasks`), aiogram 3 (routers; what is no coroutine runs in
an executor), python-telegram-bot 20 (`telegram.ext`), Bolt for Python (`App` answers in threads, `AsyncApp` on the
loop), Chainlit (life cycle hooks) and the MCP Python SDK (`FastMCP` calls a plain function on the loop).
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, each, members

_THREAD = Context.REQUEST_THREAD
_DISCORD = ("discord.Client()", "discord.ext.commands.Bot()")
_AIOGRAM = ("aiogram.Router()", "aiogram.Dispatcher()")
_SLACK = "event command message action view shortcut options function"
_CHAINLIT = (
    "on_message on_chat_start on_chat_end on_chat_resume on_stop on_settings_update on_audio_chunk set_starters"
    " set_chat_profiles password_auth_callback header_auth_callback oauth_callback"
)


def _called(apis: tuple[str, ...]) -> tuple[str, ...]:
    """The decorators that calling each API makes."""
    return tuple(f"{api}()" for api in apis)


FRAMEWORK = Framework(
    name="bots",
    language="python",
    serves=(
        *("discord.Client", "discord.ext.commands.Bot", "aiogram.Dispatcher", "telegram.ext.ApplicationBuilder"),
        *("telegram.ext.Application.builder", "slack_bolt.async_app.AsyncApp", "slack_bolt.App"),
        "mcp.server.fastmcp.FastMCP",
    ),
    aliases=(
        ("discord.ext.commands.AutoShardedBot()", _DISCORD[1]),
        ("discord.AutoShardedClient()", _DISCORD[0]),
        ("aiogram.dispatcher.router.Router()", _AIOGRAM[0]),
        ("mcp.server.FastMCP()", "mcp.server.fastmcp.FastMCP()"),
        ("slack_bolt.app.async_app.AsyncApp()", "slack_bolt.async_app.AsyncApp()"),
    ),
    registers=(
        Registers(each(_DISCORD, "event"), decorates=True, role=Role.EVENT),
        Registers(_called(each(_DISCORD, "listen command tree.command")), decorates=True, role=Role.EVENT),
        Registers(
            (
                *_called(members("discord.ext.commands", "command hybrid_command")),
                *("discord.app_commands.command()", "discord.app_commands.CommandTree().command()"),
                "discord.ext.commands.Cog.listener()",
            ),
            decorates=True,
            role=Role.EVENT,
        ),
        Registers(("discord.ext.tasks.loop()",), decorates=True, role=Role.TASK, context=Context.BACKGROUND),
        Registers(
            _called(each(_AIOGRAM, "message edited_message callback_query inline_query channel_post poll errors")),
            decorates=True,
            role=Role.EVENT,
            thread=_THREAD,
        ),
        Registers(
            tuple(f"{router}.{kind}.register" for router in _AIOGRAM for kind in ("message", "callback_query")),
            last=1,
            role=Role.EVENT,
            thread=_THREAD,
        ),
        Registers(
            members("telegram.ext", "CommandHandler MessageHandler"),
            first=1,
            last=2,
            keywords=("callback",),
            role=Role.EVENT,
            thread=_THREAD,
        ),
        Registers(
            members("telegram.ext", "CallbackQueryHandler InlineQueryHandler ChatMemberHandler"),
            last=1,
            keywords=("callback",),
            role=Role.EVENT,
            thread=_THREAD,
        ),
        Registers(_called(members("slack_bolt.async_app.AsyncApp()", _SLACK)), decorates=True, role=Role.EVENT),
        Registers(
            _called(members("slack_bolt.App()", _SLACK)),
            decorates=True,
            role=Role.EVENT,
            context=_THREAD,
        ),
        Registers(members("chainlit", _CHAINLIT), decorates=True, role=Role.EVENT, thread=_THREAD),
        Registers(("chainlit.action_callback()",), decorates=True, role=Role.EVENT, thread=_THREAD),
        Registers(_called(members("mcp.server.fastmcp.FastMCP()", "tool resource prompt")), decorates=True),
        Registers(_called(members("fastmcp.FastMCP()", "tool resource prompt")), decorates=True, thread=_THREAD),
        Registers(members("fastmcp.FastMCP()", "tool prompt"), decorates=True, thread=_THREAD),
    ),
)

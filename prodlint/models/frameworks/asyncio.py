"""asyncio and the thread pools of Python: what leaves the event loop, what stays on it as a task.

Source: the Python documentation of `asyncio`, `concurrent.futures`, `threading`; the anyio and asgiref references.
"""

from prodlint.models.frameworks.model import Context, Framework, Moves, Registers, Role

_THREADS = Context.REQUEST_THREAD

FRAMEWORK = Framework(
    name="asyncio",
    language="python",
    serves=("asyncio.start_server", "asyncio.get_event_loop().create_server"),
    registers=(
        Registers(("asyncio.start_server", "asyncio.start_unix_server"), last=1, role=Role.EVENT),
        Registers(
            ("websockets.serve", "websockets.server.serve", "websockets.asyncio.server.serve"), last=1, role=Role.EVENT
        ),
        Registers(
            (
                "celery.shared_task",
                "celery.Celery().task",
                "celery.shared_task()",
                "celery.Celery().task()",
                "huey.Huey().task()",
                "rq.decorators.job()",
                "dramatiq.actor",
                "dramatiq.actor()",
            ),
            decorates=True,
            role=Role.TASK,
            context=Context.BACKGROUND_THREAD,
        ),
        Registers(
            (
                "click.command()",
                "click.group()",
                "click.command",
                "typer.Typer().command()",
                "click.Group().command()",
                "click.group().command()",
                "flask.Flask().cli.command()",
                "typer.Typer().callback()",
            ),
            decorates=True,
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
    ),
    moves=(
        Moves(("asyncio.to_thread",), _THREADS, names=("to_thread",)),
        Moves((), _THREADS, position=1, names=("run_in_executor",)),
        Moves(
            (
                "fastapi.concurrency.run_in_threadpool",
                "starlette.concurrency.run_in_threadpool",
                "anyio.to_thread.run_sync",
                "trio.to_thread.run_sync",
                "concurrent.futures.ThreadPoolExecutor().submit",
                "concurrent.futures.ProcessPoolExecutor().submit",
                "multiprocessing.pool.ThreadPool().apply_async",
            ),
            _THREADS,
            names=("run_in_threadpool", "run_sync", "submit"),
        ),
        Moves(
            (
                "asgiref.sync.sync_to_async",
                "channels.db.database_sync_to_async",
                "asyncer.asyncify",
                "starlette.concurrency.iterate_in_threadpool",
            ),
            _THREADS,
            wraps=True,
            names=("sync_to_async", "database_sync_to_async", "asyncify"),
        ),
        Moves(
            ("threading.Thread", "multiprocessing.Process", "threading.Timer"),
            Context.BACKGROUND_THREAD,
            position=1,
            keyword="target",
        ),
        Moves(
            ("asyncio.create_task", "asyncio.ensure_future"), Context.BACKGROUND, names=("create_task", "ensure_future")
        ),
    ),
)

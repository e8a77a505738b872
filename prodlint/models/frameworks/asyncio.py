"""asyncio and the thread pools of Python: what leaves the event loop, what stays on it as a task.

Source: the Python documentation of `asyncio`, `concurrent.futures`, `threading`, `multiprocessing`; the references of
anyio, asgiref, APScheduler (its default executor is a pool of threads) and RQ.
"""

from prodlint.models.frameworks.model import (
    Calls,
    Context,
    Framework,
    Offloads,
    Registers,
    Role,
    Subclasses,
    When,
    each,
)

_THREADS = Context.REQUEST_THREAD
_POOLS = (
    "concurrent.futures.ThreadPoolExecutor()",
    "concurrent.futures.ProcessPoolExecutor()",
    "concurrent.futures.thread.ThreadPoolExecutor()",
    "concurrent.futures.process.ProcessPoolExecutor()",
    "multiprocessing.pool.ThreadPool()",
    "multiprocessing.pool.Pool()",
    "multiprocessing.Pool()",
    "multiprocessing.get_context().Pool()",
)
_SCHEDULERS = (
    "apscheduler.schedulers.asyncio.AsyncIOScheduler()",
    "apscheduler.schedulers.background.BackgroundScheduler()",
    "apscheduler.schedulers.blocking.BlockingScheduler()",
    "apscheduler.schedulers.tornado.TornadoScheduler()",
)

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
            each(_SCHEDULERS, "add_job"),
            last=1,
            keywords=("func",),
            role=Role.TASK,
            context=Context.BACKGROUND,
            thread=Context.BACKGROUND_THREAD,
        ),
        Registers(
            tuple(f"{api}()" for api in each(_SCHEDULERS, "scheduled_job")),
            decorates=True,
            role=Role.TASK,
            context=Context.BACKGROUND,
            thread=Context.BACKGROUND_THREAD,
        ),
    ),
    subclasses=(
        Subclasses(
            bases=("threading.Thread", "multiprocessing.Process", "threading.Timer"),
            methods=("run",),
            role=Role.TASK,
            context=Context.BACKGROUND_THREAD,
        ),
    ),
    offloads=(
        Offloads(("asyncio.to_thread",), _THREADS, keyword="func", names=("to_thread",)),
        Offloads((), _THREADS, position=1, keyword="func", names=("run_in_executor",)),
        Offloads(
            (
                "fastapi.concurrency.run_in_threadpool",
                "starlette.concurrency.run_in_threadpool",
                "anyio.to_thread.run_sync",
                "anyio.to_process.run_sync",
                "anyio.to_interpreter.run_sync",
                "trio.to_thread.run_sync",
                *each(_POOLS, "submit map apply apply_async map_async imap imap_unordered starmap starmap_async"),
            ),
            _THREADS,
            keyword="func",
            names=("run_in_threadpool", "run_sync", "submit", "apply_async", "map_async", "starmap_async"),
        ),
        Offloads(
            (
                "asgiref.sync.sync_to_async",
                "channels.db.database_sync_to_async",
                "asyncer.asyncify",
                "starlette.concurrency.iterate_in_threadpool",
                "awaits.awaitable",
            ),
            _THREADS,
            wraps=True,
            names=("sync_to_async", "database_sync_to_async", "asyncify"),
        ),
        Offloads(
            ("threading.Thread", "multiprocessing.Process", "threading.Timer"),
            Context.BACKGROUND_THREAD,
            position=1,
            keyword="target",
        ),
        Offloads(("threading.Timer",), Context.BACKGROUND_THREAD, position=1, keyword="function"),
        Offloads(
            (
                "_thread.start_new_thread",
                "gevent.spawn",
                "eventlet.spawn",
                "rq.Queue().enqueue",
                "rq.Queue().enqueue_call",
            ),
            Context.BACKGROUND_THREAD,
            names=("enqueue",),
        ),
        Offloads(("rq.Queue().enqueue_in", "rq.Queue().enqueue_at"), Context.BACKGROUND_THREAD, position=1),
        Offloads(
            ("asyncio.create_task", "asyncio.ensure_future", "asyncio.run_coroutine_threadsafe"),
            Context.BACKGROUND,
            names=("create_task", "ensure_future", "run_coroutine_threadsafe"),
        ),
        Offloads(
            (),
            Context.BACKGROUND,
            names=("call_soon", "call_soon_threadsafe", "add_done_callback", "start_soon"),
        ),
        Offloads((), Context.BACKGROUND, position=1, names=("call_later", "call_at", "add_reader", "add_writer")),
    ),
    calls=(
        Calls(("asyncio.run", "anyio.run", "trio.run", "uvloop.run"), position=0),
        Calls(("asyncio.gather", "asyncio.wait", "asyncio.as_completed")),
        Calls(("asyncio.wait_for", "asyncio.shield", "asyncio.timeout"), position=0),
        Calls(names=("run_until_complete",), position=0),
        Calls(("contextvars.copy_context().run", "contextvars.Context().run"), position=0),
        Calls(names=("add_signal_handler",), when=When.NEVER),
    ),
)

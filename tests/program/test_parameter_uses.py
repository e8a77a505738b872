"""A function that is handed over runs where it is run, and nowhere else."""

from __future__ import annotations

import pytest

from prodlint.program.linking.program import Program
from prodlint.project.hints import Hints
from tests.program.conftest import Linker

PYTHON_HEAD = """\
import asyncio, atexit, contextvars, functools, inspect, logging, multiprocessing, signal, threading
import concurrent.futures
from functools import partial
import anyio, somelib
from fastapi import FastAPI, BackgroundTasks
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
app = FastAPI()
def slow(*args): pass
async def task(*args): pass
def lines():
    yield 1
"""

LOOP, THREAD, TASK, OWN_THREAD, NEVER, PERHAPS = (
    "REQUEST",
    "REQUEST_THREAD",
    "BACKGROUND",
    "BACKGROUND_THREAD",
    "",
    "REQUEST?",
)

OWN_PYTHON = {
    # name: (functions of the program, the handler's body, the function, where it runs)
    "called": ("def go(f): f()", "go(slow)", "slow", LOOP),
    "called behind a condition": ("def go(f=None):\n    if f: f()", "go(slow)", "slow", LOOP),
    "called by keyword": ("def go(*, f): f()", "go(f=slow)", "slow", LOOP),
    "called through a variable": ("def go(f):\n    g = f\n    g()", "go(slow)", "slow", LOOP),
    "called through a default": ("def go(f=None):\n    g = f or print\n    g()", "go(slow)", "slow", LOOP),
    "called through a partial": ("def go(f):\n    g = partial(f, 1)\n    g()", "go(slow)", "slow", LOOP),
    "called by an inner function": ("def go(f):\n    def g(): f()\n    g()", "go(slow)", "slow", LOOP),
    "called by an inner function that is not": ("def go(f):\n    def g(): f()", "go(slow)", "slow", NEVER),
    "called by a lambda": ("def go(f):\n    g = lambda: f()\n    g()", "go(slow)", "slow", LOOP),
    "called two calls away": ("def at(f): f()\ndef go(f): at(f)", "go(slow)", "slow", LOOP),
    "called in a circle": (
        "def a(f, n):\n    b(f, n)\ndef b(f, n):\n    if n: a(f, n - 1)\n    f()",
        "a(slow, 3)",
        "slow",
        LOOP,
    ),
    "kept by a function that answers a partial of itself": (
        "KEPT = []\ndef go(f, g=None):\n    if g is None: return partial(go, f)\n    KEPT.append(f)",
        "go(slow)",
        "slow",
        NEVER,
    ),
    "passed on in a circle": ("def a(f):\n    b(f)\ndef b(f):\n    a(f)", "a(slow)", "slow", NEVER),
    "called as one of the arguments": ("def go(*fs):\n    for f in fs: f()", "go(print, slow)", "slow", LOOP),
    "called as the other of the arguments": ("def go(*fs): fs[0]()", "go(print, slow)", "slow", NEVER),
    "called as the first of the arguments": ("def go(*fs): fs[0]()", "go(slow, print)", "slow", LOOP),
    "called as a named argument": ("def go(**kw): kw['f']()", "go(f=slow)", "slow", LOOP),
    "another named argument is called": ("def go(**kw): kw['g']()", "go(f=slow)", "slow", NEVER),
    "asked for by name": ("def go(**kw):\n    f = kw.get('f')\n    f()", "go(f=slow)", "slow", LOOP),
    "arguments passed on": ("def at(a, f): f()\ndef go(*args): at(*args)", "go(1, slow)", "slow", LOOP),
    "named arguments passed on": ("def at(f=None): f()\ndef go(**kw): at(**kw)", "go(f=slow)", "slow", LOOP),
    "handed to map": ("def go(f, xs): return list(map(f, xs))", "go(slow, [1])", "slow", LOOP),
    "a method calls": ("class S:\n    def go(self, f): f()", "S().go(slow)", "slow", LOOP),
    "a constructor calls": ("class S:\n    def __init__(self, f): f()", "S(slow)", "slow", LOOP),
    "kept, then called": (
        "class S:\n    def __init__(self, f): self.f = f\n    def go(self): self.f()",
        "S(slow).go()",
        "slow",
        LOOP,
    ),
    "kept": ("class S:\n    def __init__(self, f): self.f = f", "S(slow)", "slow", NEVER),
    "kept in a list": ("jobs = []\ndef add(f): jobs.append(f)", "add(slow)", "slow", NEVER),
    "kept in a table": ("jobs = {}\ndef add(name, f): jobs[name] = f", "add('a', slow)", "slow", NEVER),
    "not used": ("def go(f): pass", "go(slow)", "slow", NEVER),
    "compared": ("def go(f): return f is None or f == 1", "go(slow)", "slow", NEVER),
    "its name is read": ("def go(f): return f.__name__", "go(slow)", "slow", NEVER),
    "returned": ("def go(f): return f", "go(slow)", "slow", NEVER),
    "returned and called": ("def go(f): return f", "go(slow)()", "slow", LOOP),
    "a closure is returned": ("def go(f):\n    def g(): f()\n    return g", "go(slow)", "slow", NEVER),
    "a closure is returned and called": ("def go(f):\n    def g(): f()\n    return g", "go(slow)()", "slow", LOOP),
    "a closure is kept and called": (
        "def go(f):\n    def g(): f()\n    return g",
        "g = go(slow)\n    g()",
        "slow",
        LOOP,
    ),
    "a closure is handed to a thread": (
        "def go(f):\n    def g(): f()\n    return g",
        "await asyncio.to_thread(go(slow))",
        "slow",
        THREAD,
    ),
    "a closure goes to a thread": (
        "def go(f):\n    async def g(*a): return await asyncio.to_thread(f, *a)\n    return g",
        "await go(slow)(1)",
        "slow",
        THREAD,
    ),
    "an object holds a closure": (
        "class B: pass\ndef make(f):\n    def g(): f()\n    b = B()\n    b.run = g\n    return b",
        "make(slow).run()",
        "slow",
        LOOP,
    ),
    "to a thread": ("async def go(f): await asyncio.to_thread(f)", "await go(slow)", "slow", THREAD),
    "to a thread by keyword": (
        "async def go(f):\n    loop = asyncio.get_running_loop()\n    await loop.run_in_executor(executor=None, func=f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a partial in a variable": (
        "async def go(f, *a):\n    call = partial(f, *a)\n"
        "    return await asyncio.get_running_loop().run_in_executor(None, call)",
        "await go(slow, 1)",
        "slow",
        THREAD,
    ),
    "a partial by keyword": (
        "async def go(f, *a):\n    loop = asyncio.get_running_loop()\n"
        "    await loop.run_in_executor(executor=None, func=partial(f, *a))",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a context in a partial": (
        "async def go(f, *a):\n    ctx = contextvars.copy_context()\n    call = partial(ctx.run, f, *a)\n"
        "    return await asyncio.get_running_loop().run_in_executor(None, call)",
        "await go(slow, 1)",
        "slow",
        THREAD,
    ),
    "a context": (
        "async def go(f, *a):\n    ctx = contextvars.copy_context()\n"
        "    return await asyncio.get_running_loop().run_in_executor(None, ctx.run, f, *a)",
        "await go(slow, 1)",
        "slow",
        THREAD,
    ),
    "a context here": ("def go(f): contextvars.copy_context().run(f)", "go(slow)", "slow", LOOP),
    "a lambda": (
        "async def go(f, *a): await asyncio.get_running_loop().run_in_executor(None, lambda: f(*a))",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a lambda in a variable": (
        "async def go(f, *a):\n    call = lambda: f(*a)\n    await asyncio.to_thread(call)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "an inner function": (
        "async def go(f, *a):\n    def wrapper(): return f(*a)\n    return await asyncio.to_thread(wrapper)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "an inner function with a decorator": (
        "async def go(f, *a):\n    @functools.wraps(f)\n    def wrapper(): return f(*a)\n"
        "    return await asyncio.to_thread(wrapper)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "an inner function of an inner function": (
        "async def go(f):\n    def outer():\n        def inner(): f()\n        inner()\n    await asyncio.to_thread(outer)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "two calls away": (
        "async def at(f): await asyncio.to_thread(f)\nasync def go(f): await at(f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "three calls away, by keyword": (
        "async def a(*, work): await asyncio.to_thread(work)\nasync def b(job): await a(work=job)\n"
        "async def go(f): await b(job=f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "all arguments passed on": (
        "async def go(*args, **kw): return await asyncio.to_thread(*args, **kw)",
        "await go(slow, 1)",
        "slow",
        THREAD,
    ),
    "an argument of what runs in a thread": (
        "def apply(f): f()\nasync def go(f): await asyncio.to_thread(apply, f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "an argument of a thread": (
        "def apply(f): f()\ndef go(f): threading.Thread(target=apply, args=(f,)).start()",
        "go(slow)",
        "slow",
        OWN_THREAD,
    ),
    "the target of a thread": ("def go(f): threading.Thread(target=f).start()", "go(slow)", "slow", OWN_THREAD),
    "a timer": ("def go(f): threading.Timer(1, f).start()", "go(slow)", "slow", OWN_THREAD),
    "a process": ("def go(f): multiprocessing.Process(target=f).start()", "go(slow)", "slow", OWN_THREAD),
    "a pool of the object": (
        "class Pool:\n    def __init__(self): self.pool = concurrent.futures.ThreadPoolExecutor()\n"
        "    def run(self, f, *a): return self.pool.submit(f, *a)",
        "Pool().run(slow)",
        "slow",
        THREAD,
    ),
    "the loop of the object": (
        "class Pool:\n    def __init__(self): self.loop = asyncio.get_event_loop()\n"
        "    async def run(self, fn, *a): return await self.loop.run_in_executor(None, fn, *a)",
        "await Pool().run(slow)",
        "slow",
        THREAD,
    ),
    "a method of the object": (
        "class S:\n    def read(self): slow()\n    async def threaded(self, f, *a):\n        def w(): return f(*a)\n"
        "        return await asyncio.to_thread(w)\n    async def get(self): return await self.threaded(self.read)",
        "await S().get()",
        "slow",
        THREAD,
    ),
    "by a helper of a library": ("async def go(f): await run_in_threadpool(f)", "await go(slow)", "slow", THREAD),
    "to a thread, unless a coroutine function": (
        "async def go(f):\n    if asyncio.iscoroutinefunction(f):\n        return await f()\n"
        "    return await asyncio.to_thread(f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a coroutine function, else to a thread": (
        "async def go(f):\n    if asyncio.iscoroutinefunction(f):\n        return await f()\n"
        "    return await asyncio.to_thread(f)",
        "await go(task)",
        "task",
        LOOP,
    ),
    "else to a thread": (
        "async def go(f):\n    if not inspect.iscoroutinefunction(f):\n        r = await asyncio.to_thread(f)\n"
        "    else:\n        r = f()\n    return r",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "here or to a thread": (
        "async def go(f, threaded):\n    if threaded: await asyncio.to_thread(f)\n    else: f()",
        "await go(slow, True)",
        "slow",
        "REQUEST REQUEST_THREAD",
    ),
    "a task": ("def go(f): asyncio.create_task(f())", "go(task)", "task", TASK),
    "a coroutine as a task": ("def spawn(coro): asyncio.create_task(coro)", "spawn(task())", "task", TASK),
    "a coroutine as a task, kept": (
        "tasks = set()\ndef spawn(coro, name=None):\n    t = asyncio.ensure_future(coro)\n    tasks.add(t)\n    return t",
        "spawn(task(), name='a')",
        "task",
        TASK,
    ),
    "a coroutine as a task two calls away": (
        "def a(coro): asyncio.create_task(coro)\ndef spawn(c): a(c)",
        "spawn(task())",
        "task",
        TASK,
    ),
    "a coroutine awaited elsewhere": ("async def go(coro): return await coro", "await go(task())", "task", LOOP),
    "gathered and not awaited": ("", "asyncio.gather(task())", "task", TASK),
    "gathered": ("", "await asyncio.gather(task())", "task", LOOP),
    "scheduled": ("def go(f): asyncio.get_running_loop().call_soon(f)", "go(slow)", "slow", TASK),
    "scheduled for later": ("def go(f): asyncio.get_running_loop().call_later(5, f)", "go(slow)", "slow", TASK),
    "when a task is done": ("def go(t, f): t.add_done_callback(f)", "go(1, slow)", "slow", TASK),
    "in the background": ("", "BackgroundTasks().add_task(slow)", "slow", OWN_THREAD),
    "handed to a library": ("def go(f): somelib.run(f)", "go(slow)", "slow", PERHAPS),
    "handed to something unknown": ("def go(x, f): x.run(f)", "go(1, slow)", "slow", PERHAPS),
    "a class decorates and calls it": (
        "class d:\n    def __init__(self, f): self.f = f\n    def __call__(self, *a): return self.f(*a)\n@d\ndef work(): pass",
        "work()",
        "work",
        LOOP,
    ),
    "a class decorates and hands it to a thread": (
        "class d:\n    def __init__(self, f): self.f = f\n    async def __call__(self, *a): return await asyncio.to_thread(self.f, *a)\n@d\ndef work(): pass",
        "await work()",
        "work",
        THREAD,
    ),
    "a decorator that can have arguments": (
        "def d(f=None, *, n=1):\n    def e(f):\n        async def w(*a): return await asyncio.to_thread(f, *a)\n        return w\n    if f is None: return e\n    return e(f)\n@d\ndef work(): pass",
        "await work()",
        "work",
        THREAD,
    ),
    "a decorator that can have arguments, with some": (
        "def d(f=None, *, n=1):\n    def e(f):\n        async def w(*a): return await asyncio.to_thread(f, *a)\n        return w\n    if f is None: return e\n    return e(f)\n@d(n=3)\ndef work(): pass",
        "await work()",
        "work",
        THREAD,
    ),
    "two decorators": (
        "def a(f):\n    def w(*x): return f(*x)\n    return w\ndef b(f):\n    async def v(*x): return await asyncio.to_thread(f, *x)\n    return v\n@a\n@b\ndef work(): pass",
        "await work()",
        "work",
        THREAD,
    ),
    "an inherited helper": (
        "class B:\n    async def off(self, f, *a): return await asyncio.to_thread(f, *a)\nclass S(B):\n    async def get(self): return await self.off(self.read)\n    def read(self): slow()",
        "await S().get()",
        "slow",
        THREAD,
    ),
    "a static helper": (
        "class B:\n    @staticmethod\n    async def off(f, *a): return await asyncio.to_thread(f, *a)",
        "await B.off(slow)",
        "slow",
        THREAD,
    ),
    "a class's helper": (
        "class B:\n    @classmethod\n    async def off(cls, f, *a): return await asyncio.to_thread(f, *a)",
        "await B.off(slow)",
        "slow",
        THREAD,
    ),
    "an object that is called": (
        "class Off:\n    async def __call__(self, f, *a): return await asyncio.to_thread(f, *a)\noff = Off()",
        "await off(slow)",
        "slow",
        THREAD,
    ),
    "a pool of the module": (
        "POOL = concurrent.futures.ThreadPoolExecutor(4)\nasync def off(f, *a):\n    fut = POOL.submit(f, *a)\n    return await asyncio.wrap_future(fut)",
        "await off(slow)",
        "slow",
        THREAD,
    ),
    "a pool for one call": (
        "async def off(f):\n    with concurrent.futures.ThreadPoolExecutor() as p:\n        return p.submit(f).result()",
        "await off(slow)",
        "slow",
        THREAD,
    ),
    "each of a list": (
        "async def off(fs):\n    loop = asyncio.get_running_loop()\n    return await asyncio.gather(*[loop.run_in_executor(None, f) for f in fs])",
        "await off([slow, print])",
        "slow",
        THREAD,
    ),
    "from a table": ("T = {'a': slow}\ndef go(n): T[n]()", "go('a')", "slow", LOOP),
    "into a queue": ("q = asyncio.Queue()\nasync def put(f): await q.put(f)", "await put(slow)", "slow", NEVER),
    "a default": ("def go(f=slow): f()", "go()", "slow", LOOP),
    "the default of a lambda": (
        "async def go(f): await asyncio.to_thread(lambda f=f: f())",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a thread of their own kind": (
        "class T(threading.Thread):\n    def __init__(self, f):\n        super().__init__()\n        self.f = f\n    def run(self): self.f()",
        "T(slow).start()",
        "slow",
        OWN_THREAD,
    ),
    "a lambda that answers a coroutine": (
        "async def retry(f, n=3):\n    for _ in range(n):\n        try:\n            return await f()\n        except Exception: pass",
        "await retry(lambda: task())",
        "task",
        LOOP,
    ),
    "a lambda that hands it to a thread": (
        "async def retry(f):\n    return await f()",
        "await retry(lambda: asyncio.to_thread(slow))",
        "slow",
        THREAD,
    ),
    "a context manager": (
        "from contextlib import contextmanager\n@contextmanager\ndef cm(f):\n    f()\n    yield",
        "with cm(slow): pass",
        "slow",
        LOOP,
    ),
    "wrapped by hand": (
        "def threaded(f):\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w\naslow = threaded(slow)",
        "await aslow()",
        "slow",
        THREAD,
    ),
    "wrapped in a member": (
        "def threaded(f):\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w\nclass S:\n    def __init__(self): self.read = threaded(slow)\ns = S()",
        "await s.read()",
        "slow",
        THREAD,
    ),
    "called, and awaited if that is needed": (
        "async def go(f):\n    r = f()\n    if inspect.isawaitable(r): r = await r\n    return r",
        "await go(slow)",
        "slow",
        LOOP,
    ),
    "a coroutine function called, and awaited if that is needed": (
        "async def go(f):\n    r = f()\n    if inspect.isawaitable(r): r = await r\n    return r",
        "await go(task)",
        "task",
        LOOP,
    ),
    "to a thread, unless a coroutine function, in one expression": (
        "async def go(f): return await f() if asyncio.iscoroutinefunction(f) else await asyncio.to_thread(f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "in a group of tasks": (
        "async def go(f):\n    async with asyncio.TaskGroup() as tg: tg.create_task(f())",
        "await go(task)",
        "task",
        TASK,
    ),
    "in a group of tasks of anyio": (
        "async def go(f):\n    async with anyio.create_task_group() as tg: tg.start_soon(f)",
        "await go(task)",
        "task",
        TASK,
    ),
    "in the background by a helper": (
        "def later(bg: BackgroundTasks, f): bg.add_task(f)",
        "later(BackgroundTasks(), slow)",
        "slow",
        OWN_THREAD,
    ),
    "by a scheduler": (
        "from apscheduler.schedulers.background import BackgroundScheduler\ns = BackgroundScheduler()\ndef every(f): s.add_job(f, 'interval')",
        "every(slow)",
        "slow",
        OWN_THREAD,
    ),
    "a context in a thread": (
        "async def go(f):\n    ctx = contextvars.copy_context()\n    await asyncio.to_thread(ctx.run, f)",
        "await go(slow)",
        "slow",
        THREAD,
    ),
    "a partial of what runs it in a thread": ("go = partial(asyncio.to_thread, slow)", "await go()", "slow", THREAD),
    "a partial of a helper": (
        "async def off(f, *a): await asyncio.to_thread(f, *a)\ngo = partial(off, slow)",
        "await go()",
        "slow",
        THREAD,
    ),
    "yielded": ("def go(f):\n    yield f", "list(go(slow))", "slow", NEVER),
    "by a generator": ("def rows(f):\n    for x in [1]: yield f(x)", "list(rows(slow))", "slow", LOOP),
    "by a generator that nobody iterates": ("def rows(f):\n    for x in [1]: yield f(x)", "rows(slow)", "slow", NEVER),
    "by a generator in a thread": (
        "def rows(f):\n    for x in [1]: yield f(x)",
        "await asyncio.to_thread(list, rows(slow))",
        "slow",
        THREAD,
    ),
}

DECORATED = {
    "keeps it": ("def d(f): return f", LOOP),
    "registers it": ("jobs = []\ndef d(f):\n    jobs.append(f)\n    return f", LOOP),
    "wraps it": ("def d(f):\n    def w(*a): return f(*a)\n    return w", LOOP),
    "wraps it with wraps": ("def d(f):\n    @functools.wraps(f)\n    def w(*a): return f(*a)\n    return w", LOOP),
    "runs it in a thread": (
        "def d(f):\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w",
        THREAD,
    ),
    "runs it in a thread with wraps": (
        "def d(f):\n    @functools.wraps(f)\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w",
        THREAD,
    ),
    "runs it in a thread through a helper": (
        "async def go(f, *a): return await asyncio.to_thread(partial(f, *a))\n"
        "def d(f):\n    async def w(*a): return await go(f, *a)\n    return w",
        THREAD,
    ),
    "returns a partial of a helper": (
        "async def go(f): await asyncio.to_thread(f)\ndef d(f): return partial(go, f)",
        THREAD,
    ),
    "starts a thread": ("def d(f):\n    def w(): threading.Thread(target=f).start()\n    return w", OWN_THREAD),
    "replaces it": ("def d(f):\n    def w(): return 1\n    return w", NEVER),
    "sends it away": ("jobs = []\ndef d(f):\n    def w(*a): jobs.append((f, a))\n    return w", NEVER),
}

BY_LIBRARY = {
    "sorted(xs, key=slow)": LOOP,
    "max(xs, key=slow)": LOOP,
    "list(filter(slow, xs))": LOOP,
    "functools.reduce(slow, xs)": LOOP,
    "xs.sort(key=slow)": LOOP,
    "await asyncio.to_thread(slow)": THREAD,
    "await asyncio.to_thread(partial(slow, 1))": THREAD,
    "await anyio.to_thread.run_sync(slow)": THREAD,
    "await asyncio.to_thread(max, xs, key=slow)": THREAD,
    "concurrent.futures.ProcessPoolExecutor().map(slow, xs)": THREAD,
    "multiprocessing.Pool().apply_async(slow)": THREAD,
    "threading.Thread(target=slow)": OWN_THREAD,
    "threading.Thread(None, slow)": OWN_THREAD,
    "repr(slow)": NEVER,
    "hasattr(slow, 'x')": NEVER,
    "callable(slow)": NEVER,
    "inspect.signature(slow)": NEVER,
    "logging.info('%s', slow)": NEVER,
    "atexit.register(slow)": NEVER,
    "signal.signal(15, slow)": NEVER,
    "functools.wraps(slow)": NEVER,
    "functools.partial(slow, 1)": NEVER,
    "xs.append(slow)": NEVER,
    "xs.setdefault('x', slow)": NEVER,
    "somelib.Client().run(slow)": PERHAPS,
    "somelib.Client().subscribe('x', slow)": PERHAPS,
    "somelib.register('x')(slow)": PERHAPS,
}

ITERATED = {
    "for line in lines(): pass": LOOP,
    "xs = [line for line in lines()]": LOOP,
    "xs = list(lines())": LOOP,
    "rows = lines()\n    for row in rows: pass": LOOP,
    "rows = lines()\n    next(rows)": LOOP,
    "rows = [*lines()]": LOOP,
    "text = ''.join(lines())": LOOP,
    "lines()": NEVER,
    "rows = lines()": NEVER,
    "return StreamingResponse(lines())": THREAD,
    "rows = lines()\n    return StreamingResponse(rows)": THREAD,
    "return StreamingResponse(content=lines())": THREAD,
    "rows = lines()\n    return await asyncio.to_thread(list, rows)": THREAD,
    "rows = lines()\n    return await asyncio.to_thread(lambda: list(rows))": THREAD,
    "consume(lines())": LOOP,
    "consume(rows=lines())": LOOP,
    "await in_thread(lines())": THREAD,
    "for row in made(): pass": LOOP,
    "return StreamingResponse(made())": THREAD,
    "for row in passed_on(): pass": LOOP,
    "return StreamingResponse(passed_on())": THREAD,
}

ITERATING = """\
def consume(rows):
    for row in rows: pass
async def in_thread(rows): await asyncio.to_thread(consume, rows)
def made(): return lines()
def passed_on():
    yield from lines()
"""


def places(program: Program, name: str) -> str:
    """The contexts of the only function called `name`, those that are not sure with a question mark."""
    found = [number for number, (_, fact) in enumerate(program.resolver.functions) if fact.name == name]
    assert len(found) == 1, f"{len(found)} functions are called {name}"
    reached = program.contexts.of(found[0])
    return " ".join(sorted(context.name + ("" if reach.certain else "?") for context, reach in reached.items()))


def python(linked: Linker, program: str, body: str, hints: Hints | None = None) -> Program:
    handler = f"@app.get('/')\nasync def h(xs: list):\n    {body}\n"
    return linked({"main.py": f"{PYTHON_HEAD}{program}\n{handler}"}, hints)


@pytest.mark.parametrize(("own", "body", "name", "where"), OWN_PYTHON.values(), ids=list(OWN_PYTHON))
def test_own_functions_are_followed(own: str, body: str, name: str, where: str, linked: Linker) -> None:
    expected = where if name != "task" or where else TASK
    assert places(python(linked, own, body), name) == expected


@pytest.mark.parametrize(("decorator", "where"), DECORATED.values(), ids=list(DECORATED))
@pytest.mark.parametrize("with_arguments", [False, True])
@pytest.mark.parametrize("of_method", [False, True])
def test_decorators_are_functions_that_are_handed_a_function(
    decorator: str, where: str, with_arguments: bool, of_method: bool, linked: Linker
) -> None:
    use = "@d"
    if with_arguments:
        inner = decorator.replace("\n", "\n    ")
        decorator, use = f"def outer(n):\n    {inner}\n    return d", "@outer(3)"
    work = f"{use}\ndef work(): pass"
    if of_method:
        indented = work.replace("\n", "\n    ").replace("work()", "work(self)")
        work = f"class S:\n    {indented}"
    call = "S().work()" if of_method else "work()"
    assert places(python(linked, f"{decorator}\n{work}", f"await {call}"), "work") == where


@pytest.mark.parametrize(("body", "where"), BY_LIBRARY.items(), ids=list(BY_LIBRARY))
def test_libraries_are_modelled(body: str, where: str, linked: Linker) -> None:
    assert places(python(linked, "", body), "slow") == where


@pytest.mark.parametrize(("body", "where"), ITERATED.items(), ids=list(ITERATED))
def test_a_generator_runs_where_it_is_iterated(body: str, where: str, linked: Linker) -> None:
    assert places(python(linked, ITERATING, body), "lines") == where


def test_the_body_of_a_decorators_wrapper_runs(linked: Linker) -> None:
    own = "def d(f):\n    def wrapper(*a): return f(*a)\n    return wrapper\n@d\ndef work(): pass"
    assert places(python(linked, own, "work()"), "wrapper") == LOOP


def test_each_caller_of_a_helper_has_its_own_function_run(linked: Linker) -> None:
    own = "async def go(f): await asyncio.to_thread(f)\ndef quick(): pass\ngo(quick)"
    program = python(linked, own, "await go(slow)")
    assert (places(program, "slow"), places(program, "quick")) == (THREAD, "STARTUP")


def test_the_user_says_what_runs_in_a_thread(linked: Linker) -> None:
    own = "from acme.aio import offload\nclass Pool:\n    def put(self, f): somelib.q(f)\n"
    hints = Hints(offloaders=("acme.aio.offload", "main.Pool.put"))
    assert places(python(linked, own, "offload(slow)", hints), "slow") == THREAD
    assert places(python(linked, own, "Pool().put(slow)", hints), "slow") == THREAD
    decorated = f"{own}@offload\ndef work(): pass"
    assert places(python(linked, decorated, "await work()", hints), "work") == THREAD
    assert places(python(linked, decorated, "await work()"), "work") == LOOP


JAVASCRIPT_HEAD = """\
const fs = require('fs'), util = require('util'), lib = require('somelib'), { EventEmitter } = require('events');
const app = require('express')();
function slow() {}
function* rows() { yield 1; }
"""

OWN_JAVASCRIPT = {
    "called": ("function go(f) { f(); }", "go(slow)", LOOP),
    "called with call": ("function go(f) { f.call(null, 1); }", "go(slow)", LOOP),
    "bound and called": ("function go(f) { const g = f.bind(null); g(); }", "go(slow)", LOOP),
    "called by a closure": ("function go(f) { [1].forEach(x => f(x)); }", "go(slow)", LOOP),
    "a closure is returned": ("const go = f => () => f();", "go(slow)", NEVER),
    "a closure is returned and called": ("const go = f => () => f();", "go(slow)()", LOOP),
    "called two calls away": ("function at(f) { f(); } function go(f) { at(f); }", "go(slow)", LOOP),
    "called as a member": ("function go(o) { o.run(); }", "go({ run: slow })", LOOP),
    "called when destructured": ("function go({ run }) { run(); }", "go({ run: slow })", LOOP),
    "another member is called": ("function go({ run, other }) { other(); }", "go({ run: slow })", NEVER),
    "an inline member is called": ("function go({ run }) { run(); }", "go({ run: () => slow() })", LOOP),
    "an inline member is kept": ("function go(o) { all.push(o); } const all = [];", "go({ run: () => slow() })", NEVER),
    "called as one of the arguments": ("function go(...fs) { for (const f of fs) f(); }", "go(slow)", LOOP),
    "passed on": ("function at(f) { f(); } function go(...fs) { at(...fs); }", "go(slow)", LOOP),
    "kept": ("class S { constructor(f) { this.f = f; } }", "new S(slow)", NEVER),
    "kept, then called": ("class S { constructor(f) { this.f = f; } go() { this.f(); } }", "new S(slow).go()", LOOP),
    "kept in a list": ("const all = []; function add(f) { all.push(f); }", "add(slow)", NEVER),
    "not used": ("function go(f) {}", "go(slow)", NEVER),
    "its type is read": ("function go(f) { return typeof f === 'function'; }", "go(slow)", NEVER),
    "in a timer": ("function go(f) { setTimeout(f, 5); }", "go(slow)", LOOP),
    "in a promise": ("function go(f) { return Promise.resolve().then(() => f()); }", "go(slow)", LOOP),
    "in a new promise": ("function go(f) { return new Promise(done => { f(); done(); }); }", "go(slow)", LOOP),
    "promisified": ("", "util.promisify(slow)", NEVER),
    "promisified and called": ("const soon = util.promisify(slow);", "soon()", LOOP),
    "a listener": ("const bus = new EventEmitter();", "bus.on('x', slow)", LOOP),
    "mapped": ("", "[1].map(slow)", LOOP),
    "the callback of a file": ("", "fs.readFile('x', () => slow())", LOOP),
    "an error-first callback of a library": ("", "lib.read('x', (err, x) => slow())", LOOP),
    "handed to a library": ("", "lib.register(slow)", PERHAPS),
    "printed": ("", "console.log(slow)", NEVER),
    "kept and called in a timer": (
        "class S { run(f) { this.f = f; setImmediate(() => this.f()); } }",
        "new S().run(slow)",
        LOOP,
    ),
    "called as an option with a default": (
        "function go(opts = {}) { const { onDone = () => {} } = opts; onDone(); }",
        "go({ onDone: slow })",
        LOOP,
    ),
    "a member called in a timer": ("function go(opts) { setTimeout(() => opts.cb(), 1); }", "go({ cb: slow })", LOOP),
    "called as an element": ("function go(fs) { fs.forEach(f => f()); }", "go([slow])", LOOP),
    "called as an element, for promises": (
        "function go(fs) { return Promise.all(fs.map(f => f())); }",
        "go([slow])",
        LOOP,
    ),
    "debounced and called": (
        "function debounce(f, ms) { let t; return (...a) => { clearTimeout(t); t = setTimeout(() => f(...a), ms); }; } const d = debounce(slow, 5);",
        "d()",
        LOOP,
    ),
    "debounced": (
        "function debounce(f, ms) { let t; return (...a) => { clearTimeout(t); t = setTimeout(() => f(...a), ms); }; }",
        "debounce(slow, 5)",
        NEVER,
    ),
    "called once": (
        "function once(f) { let done; return () => { if (!done) { done = true; f(); } }; }",
        "once(slow)()",
        LOOP,
    ),
    "called in the end": ("const c = f => x => y => f(x, y);", "c(slow)(1)(2)", LOOP),
    "not called in the end": ("const c = f => x => y => f(x, y);", "c(slow)(1)", NEVER),
    "an object holds a closure that is called": (
        "function make(f) { return { run: () => f(), stop() {} }; } const o = make(slow);",
        "o.run()",
        LOOP,
    ),
    "an object holds a closure that is not called": (
        "function make(f) { return { run: () => f(), stop() {} }; } const o = make(slow);",
        "o.stop()",
        NEVER,
    ),
    "a member is a closure": ("class S { constructor(f) { this.go = () => f(); } }", "new S(slow).go()", LOOP),
    "called by a handler made for it": (
        "function crud(path, svc) { app.get(path, (req, res) => svc.list()); } crud('/q', { list: slow });",
        "res.end()",
        LOOP,
    ),
    "a callback two calls away": (
        "function a(cb) { b(cb); } function b(cb) { fs.readFile('x', (err) => cb(err)); }",
        "a(slow)",
        LOOP,
    ),
    "kept in a set": ("const s = new Set();", "s.add(slow)", NEVER),
    "kept in a map": ("const m = new Map();", "m.set('a', slow)", NEVER),
    "a getter is defined": ("", "Object.defineProperty({}, 'x', { get: () => slow() })", NEVER),
}

ITERATED_IN_JAVASCRIPT = {
    "for (const row of rows()) {}": LOOP,
    "const all = [...rows()];": LOOP,
    "Array.from(rows());": LOOP,
    "const it = rows(); it.next();": LOOP,
    "rows();": NEVER,
    "const it = rows();": NEVER,
}


def javascript(linked: Linker, own: str, body: str) -> Program:
    return linked({"app.js": f"{JAVASCRIPT_HEAD}{own}\napp.get('/', (req, res) => {{ {body} }});"})


@pytest.mark.parametrize(("own", "body", "where"), OWN_JAVASCRIPT.values(), ids=list(OWN_JAVASCRIPT))
def test_javascript_functions_are_followed(own: str, body: str, where: str, linked: Linker) -> None:
    assert places(javascript(linked, own, body), "slow") == where


@pytest.mark.parametrize(("body", "where"), ITERATED_IN_JAVASCRIPT.items(), ids=list(ITERATED_IN_JAVASCRIPT))
def test_a_javascript_generator_runs_where_it_is_iterated(body: str, where: str, linked: Linker) -> None:
    assert places(javascript(linked, "", body), "rows") == where


def test_a_registration_helper_that_wraps_makes_a_handler(linked: Linker) -> None:
    own = "const route = (p, f) => { app.get(p, (req, res) => { res.send(f(req)); }); };\nroute('/a', slow);"
    assert places(javascript(linked, own, "res.end()"), "slow") == LOOP


def test_what_a_registration_helper_wraps_is_named_by_its_own_route(linked: Linker) -> None:
    own = (
        "const route = (...args) => { const [path] = args; const f = args[args.length - 1];\n"
        "app.get(path, (req, res) => res.send(f(req))); };\n"
        "route('/a', quick); route('/b', slow); function quick() {}"
    )
    program = javascript(linked, own, "res.end()")
    labels = {
        program.resolver.functions[each.function][1].name: each.label
        for each in program.graph.entries
        if each.label in ("/a", "/b")
    }
    assert labels == {"quick": "/a", "slow": "/b"}


DECORATED_HANDLERS = {
    # the decorator, its use above the handler, where the handler and the wrapper run
    "wraps it": (
        "def d(f):\n    async def w(*a): return await f(*a)\n    return w",
        "@d\nasync def h(): pass",
        LOOP,
        LOOP,
    ),
    "wraps it with wraps": (
        "def d(f):\n    @functools.wraps(f)\n    async def w(*a): return await f(*a)\n    return w",
        "@d\nasync def h(): pass",
        LOOP,
        LOOP,
    ),
    "with arguments": (
        "def d(n):\n    def e(f):\n        async def w(*a): return await f(*a)\n        return w\n    return e",
        "@d(1)\nasync def h(): pass",
        LOOP,
        LOOP,
    ),
    "makes a coroutine function of it": (
        "def d(f):\n    async def w(*a): return f(*a)\n    return w",
        "@d\ndef h(): pass",
        LOOP,
        LOOP,
    ),
    "is no coroutine function either": (
        "def d(f):\n    def w(*a): return f(*a)\n    return w",
        "@d\ndef h(): pass",
        THREAD,
        THREAD,
    ),
    "runs it in a thread": (
        "def d(f):\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w",
        "@d\ndef h(): pass",
        THREAD,
        LOOP,
    ),
    "hands it to a library": (
        "def d(f):\n    async def w(*a): return await somelib.run(f, *a)\n    return w",
        "@d\nasync def h(): pass",
        LOOP,
        LOOP,
    ),
}


@pytest.mark.parametrize(
    ("decorator", "handler", "where", "around"), DECORATED_HANDLERS.values(), ids=list(DECORATED_HANDLERS)
)
def test_decorators_of_handlers_run_too(decorator: str, handler: str, where: str, around: str, linked: Linker) -> None:
    program = linked({"main.py": f"{PYTHON_HEAD}{decorator}\n@app.get('/')\n{handler}\n"})
    assert (places(program, "h"), places(program, "w")) == (where, around)


def test_a_decorator_above_the_one_that_registers_is_not_run_by_the_framework(linked: Linker) -> None:
    decorator = "def d(f):\n    async def w(*a): return await asyncio.to_thread(f, *a)\n    return w"
    program = linked({"main.py": f"{PYTHON_HEAD}{decorator}\n@d\n@app.get('/')\nasync def h(): pass\n"})
    assert (places(program, "h"), places(program, "w")) == (LOOP, "BACKGROUND?")

"""Node itself: HTTP and TCP servers, timers, worker threads; and the queues and schedulers around it.

Source: Node's documentation of `http`, `https`, `http2`, `net`, Timers, `worker_threads`.
"""

from prodlint.models.frameworks.model import Calls, Context, Framework, Offloads, Registers, Role, Slots, When, each

BUILTIN_MODULES = frozenset(
    (
        "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
        "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
        "stream string_decoder timers tls trace_events tty url util v8 vm wasi worker_threads zlib"
    ).split()
)
"""Node's modules that can be asked for without the prefix `node:`. Source: `require('module').builtinModules`."""

_HTTP = (
    "http.createServer",
    "https.createServer",
    "http2.createServer",
    "http2.createSecureServer",
    "http.Server",
    "https.Server",
)
_NET = ("net.createServer", "tls.createServer")

FRAMEWORK = Framework(
    name="node",
    language="javascript",
    responses=("http.ServerResponse()",),
    serves=(*_HTTP, *_NET),
    slots=(
        Slots(
            ("globalThis",),
            own=frozenset(
                "console process Buffer Promise Error Date Math JSON fetch setTimeout setInterval URL".split()
            ),
        ),
    ),
    registers=(
        Registers(_HTTP, params=("http.IncomingMessage()", "http.ServerResponse()")),
        Registers(
            tuple(f"{api}().on" for api in _HTTP),
            first=1,
            event=("request", "upgrade", "connect", "checkContinue"),
            params=("http.IncomingMessage()", "http.ServerResponse()"),
        ),
        Registers(_NET, params=("net.Socket()",)),
        Registers(
            tuple(f"{api}().on" for api in _NET),
            first=1,
            event=("connection", "secureConnection"),
            params=("net.Socket()",),
        ),
        Registers(
            each(("net.Socket()", "http.IncomingMessage()"), "on once"),
            first=1,
            role=Role.EVENT,
            event=("data", "message", "end", "readable"),
        ),
        Registers(tuple(f"{api}().listen" for api in (*_HTTP, *_NET)), role=Role.LIFESPAN, context=Context.STARTUP),
        Registers(
            (
                "setInterval",
                "timers.setInterval",
                "node-cron.schedule",
                "node-schedule.scheduleJob",
                "cron.CronJob",
                "croner",
                "croner.Cron",
                "cron.CronJob.from",
                "toad-scheduler.Task",
                "toad-scheduler.AsyncTask",
            ),
            properties=("onTick",),
            role=Role.TASK,
            context=Context.BACKGROUND,
        ),
        Registers(
            (
                "bull().process",
                "bullmq.Worker",
                "bee-queue().process",
                "kue.createQueue().process",
                "agenda().define",
                "amqplib.connect().createChannel().consume",
                "kafkajs.Kafka().consumer().run",
                "mqtt.connect().on",
            ),
            properties=("eachMessage", "eachBatch"),
            role=Role.TASK,
            context=Context.BACKGROUND,
        ),
    ),
    offloads=(Offloads(("worker_threads.Worker", "child_process.fork"), Context.BACKGROUND_THREAD),),
    calls=(
        Calls(
            (
                *("setTimeout", "setImmediate", "queueMicrotask", "process.nextTick"),
                *(f"{module}.*" for module in sorted(BUILTIN_MODULES - {"console", "util"})),
            ),
            When.LATER,
        ),
    ),
)

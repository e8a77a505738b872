"""JavaScript itself, and the libraries that go through collections and promises: which functions call the functions
that they are given.

Source: ECMAScript ("Indexed Collections", "Keyed Collections", "Promise Objects"); the references of lodash, async,
p-map, p-limit, p-queue, co, bluebird, cls-hooked, OpenTelemetry, and of Knex, Sequelize, Prisma and the MongoDB driver
for transactions.
"""

from prodlint.models.frameworks.model import Calls, Framework, When, each, members

FRAMEWORK = Framework(
    name="ecmascript",
    language="javascript",
    calls=(
        Calls(
            (
                "Promise",
                "Array.from",
                "Object.groupBy",
                "Object.fromEntries",
                "Map",
                "Set",
                "Map.groupBy",
                "JSON.parse",
                "JSON.stringify",
                *(f"{package}.*" for package in ("lodash", "lodash-es", "underscore", "ramda", "radash", "remeda")),
                "lodash/*",
            ),
            names=tuple(
                (
                    "map forEach filter reduce reduceRight some every find findIndex findLast findLastIndex flatMap"
                    " sort toSorted replace replaceAll each eachRight forOwn forIn mapValues mapKeys keyBy groupBy"
                    " sortBy uniqBy sumBy maxBy minBy partition times pickBy omitBy countBy orderBy"
                ).split()
            ),
        ),
        Calls(
            (
                "async.*",
                "async/*",
                "bluebird.*",
                "Bluebird.*",
                "co",
                "delay",
                "p-all",
                "p-event",
                "p-limit()",
                "p-map",
                "p-map-series",
                "p-queue().add",
                "p-queue.default().add",
                "p-retry",
                "p-series",
                "p-throttle()",
                "p-timeout",
                "p-times",
                "p-try",
                "async-retry",
                "promise-retry",
                "express-basic-auth",
                *each(
                    ("cls-hooked.createNamespace()", "continuation-local-storage.createNamespace()"),
                    "run runAndReturn runPromise",
                ),
            ),
            When.LATER,
            names=(
                *"then catch finally tap spread fail done".split(),
                *"transaction $transaction withTransaction startActiveSpan".split(),
            ),
        ),
        Calls(("co.wrap", "bluebird.coroutine", "bluebird.method"), When.LATER, wraps=True),
        Calls(
            (
                *members("Object", "keys values entries is defineProperty defineProperties getOwnPropertyNames"),
                *members("Reflect", "ownKeys has getMetadata defineMetadata"),
                "Boolean",
                "String",
                "console.*",
                *("Map().set", "Set().add", "WeakMap().set", "WeakSet().add"),
                "WeakMap",
                "WeakSet",
                "WeakRef",
                "FinalizationRegistry",
            ),
            When.NEVER,
            names=tuple(
                "push unshift indexOf includes lastIndexOf has isPrototypeOf hasOwnProperty off removeListener".split()
            ),
        ),
    ),
)

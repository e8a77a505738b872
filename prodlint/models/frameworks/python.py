"""Python's builtins and standard library, and what is as common: which functions call the functions that they are
given.

Source: the Python documentation ("Built-in Functions", `functools`, `itertools`, `re`, `json`, `inspect`, `logging`,
`atexit`, `signal`, `pathlib`, `socket`, `queue`); the references of tenacity, backoff, wrapt and pandas.
"""

from prodlint.models.frameworks.model import Calls, Framework, When, members

_PATH = "pathlib.Path()"
_ARE_PATHS = (
    *members("pathlib.Path", "cwd() home() from_uri()"),
    *members(
        _PATH,
        "parent parents[] absolute() expanduser() resolve() readlink() rename() replace() iterdir()[] glob()[]",
    ),
    *members(
        _PATH,
        "rglob()[] joinpath() relative_to() with_name() with_stem() with_suffix() copy() move()",
    ),
    *("pathlib.PosixPath()", "pathlib.WindowsPath()", "pathlib._local.Path()"),
)
_QUEUES = ("multiprocessing.Queue()", "multiprocessing.JoinableQueue()", "multiprocessing.SimpleQueue()")

FRAMEWORK = Framework(
    name="python",
    language="python",
    aliases=(
        *((path, _PATH) for path in _ARE_PATHS),
        ("socket.create_connection()", "socket.socket()"),
        ("socket.create_server()", "socket.socket()"),
        ("asyncio.get_event_loop_policy().get_event_loop()", "asyncio.get_event_loop()"),
        ("multiprocessing.RLock()", "multiprocessing.Lock()"),
        ("multiprocessing.Semaphore()", "multiprocessing.Lock()"),
        *((queue, "multiprocessing.Queue()") for queue in _QUEUES[1:]),
        ("dramatiq.brokers.redis.RedisBroker().client", "redis.Redis()"),
        ("redis.client.Redis()", "redis.Redis()"),
        ("redis.Redis.from_url()", "redis.Redis()"),
        ("redis.from_url()", "redis.Redis()"),
    ),
    calls=(
        Calls(
            (
                *members(
                    "builtins",
                    "map filter sorted min max",
                ),
                *members("functools", "reduce cmp_to_key"),
                *members("re", "sub subn"),
                *members("re.compile()", "sub subn"),
                *members("heapq", "nlargest nsmallest merge"),
                *members("json", "dumps dump loads load"),
                *members("shutil", "copytree rmtree move"),
                "itertools.*",
                "more_itertools.*",
                "os.walk",
                "timeit.timeit",
            ),
            names=("sort",),
        ),
        Calls(
            (
                *members(
                    "builtins",
                    "sum any all list tuple set frozenset dict enumerate zip reversed next iter bytes bytearray",
                ),
                *members("collections", "deque Counter OrderedDict"),
                *members("statistics", "mean fmean median"),
                *members("math", "fsum prod"),
            ),
            When.ITERATES,
            names=("join", "extend", "writelines"),
        ),
        Calls(names=("applymap", "pipe"), position=0),
        Calls(
            (
                *members(
                    "builtins",
                    "callable isinstance issubclass hasattr getattr setattr delattr id repr str type hash len print"
                    " vars dir bool super format property staticmethod classmethod object int float input",
                ),
                *members("asyncio", "iscoroutinefunction iscoroutine isfuture"),
                *members("functools", "wraps update_wrapper singledispatch total_ordering"),
                *members("functools", "cached_property partialmethod"),
                *members("atexit", "register unregister"),
                *members("signal", "signal"),
                *members("weakref", "ref proxy finalize WeakMethod WeakKeyDictionary WeakValueDictionary"),
                *members("sys", "settrace setprofile addaudithook"),
                *members("threading", "settrace setprofile"),
                "asgiref.sync.iscoroutinefunction",
                "copy.*",
                "dataclasses.*",
                "inspect.*",
                "logging.*",
                "loguru.*",
                "pickle.*",
                "structlog.*",
                "traceback.*",
                "types.*",
                "typing.*",
                "typing_extensions.*",
                "unittest.*",
                "warnings.*",
            ),
            When.NEVER,
            names=(
                *"append add insert appendleft setdefault put put_nowait index count remove discard".split(),
                *"debug info warning warn error exception critical".split(),
            ),
        ),
        Calls(
            (
                "tenacity.retry",
                "tenacity.retry()",
                "tenacity.Retrying().wraps",
                "tenacity.AsyncRetrying().wraps",
                "backoff.on_exception()",
                "backoff.on_predicate()",
                "retry.retry()",
                "retrying.retry",
                "retrying.retry()",
                "contextlib.contextmanager",
                "contextlib.asynccontextmanager",
                "wrapt.decorator",
            ),
            wraps=True,
        ),
        Calls(
            (
                "tenacity.Retrying()",
                "tenacity.AsyncRetrying()",
                "retry.api.retry_call",
                *members("contextlib.ExitStack()", "callback push"),
                *members("contextlib.AsyncExitStack()", "callback push push_async_callback"),
            ),
            position=0,
        ),
    ),
)

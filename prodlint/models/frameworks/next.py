"""Next.js: files that export what it runs, and functions that browsers call.

Source: the documentation of Next.js: API Routes, Route Handlers, getServerSideProps, Server Actions, Proxy (called
middleware before version 16), Instrumentation.
"""

from prodlint.models.frameworks.model import Context, Exports, Framework, Role

_FILE = r"\.[cm]?[jt]sx?"
_VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_NODE = ("http.IncomingMessage()", "http.ServerResponse()")

FRAMEWORK = Framework(
    name="next",
    language="javascript",
    package="next",
    serves=("next",),
    aliases=(
        ("next.NextApiRequest()", "http.IncomingMessage()"),
        ("next.NextApiResponse()", "http.ServerResponse()"),
    ),
    exports=(
        Exports(("default",), rf"(?:src/)?pages/api/.+{_FILE}", params=_NODE),
        Exports(("getServerSideProps",), rf"(?:src/)?pages/.+{_FILE}"),
        Exports(_VERBS, rf"(?:src/)?app/(?:.+/)?route{_FILE}"),
        Exports(("default", "middleware", "proxy"), rf"(?:src/)?(?:middleware|proxy){_FILE}", role=Role.MIDDLEWARE),
        Exports(
            ("default", "generateMetadata"),
            rf"(?:src/)?app/(?:.+/)?(?:page|layout|template){_FILE}",
            certain=False,
        ),
        Exports(("register",), rf"(?:src/)?instrumentation{_FILE}", role=Role.LIFESPAN, context=Context.STARTUP),
        Exports(directive="use server"),
    ),
)

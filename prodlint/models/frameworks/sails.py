"""Sails: controllers, actions and policies by where they lie.

Source: the documentation of Sails: Actions and Controllers, Policies, Helpers.
"""

from prodlint.models.frameworks.model import Exports, Framework, Role

_REQUEST = ("express.req", "express.res", "express.next")

FRAMEWORK = Framework(
    name="sails",
    language="javascript",
    package="sails",
    serves=("sails.lift", "sails.Sails().lift", "sails.constructor().lift"),
    exports=(
        Exports(("fn",), r"api/controllers/.+\.[jt]s"),
        Exports(("*",), r"api/controllers/(?:.+/)?\w+Controller\.[jt]s", params=_REQUEST),
        Exports(("default",), r"api/controllers/.+\.[jt]s", params=_REQUEST),
        Exports(("default",), r"api/policies/.+\.[jt]s", role=Role.MIDDLEWARE, params=_REQUEST),
    ),
)

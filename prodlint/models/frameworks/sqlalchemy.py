"""SQLAlchemy's synchronous sessions, however they are made. Source: SQLAlchemy's ORM reference, "Using the Session"."""

from prodlint.models.frameworks.model import Framework

_SESSION = "sqlalchemy.orm.Session()"

FRAMEWORK = Framework(
    name="sqlalchemy",
    language="python",
    package="sqlalchemy",
    aliases=(
        ("sqlalchemy.orm.sessionmaker()()", _SESSION),
        ("sqlalchemy.orm.scoped_session()", _SESSION),
        ("sqlalchemy.orm.scoped_session()()", _SESSION),
        ("sqlalchemy.orm.session.Session()", _SESSION),
        ("sqlalchemy.orm.session.sessionmaker()()", _SESSION),
        ("sqlmodel.Session()", _SESSION),
        ("flask_sqlalchemy.SQLAlchemy().session", _SESSION),
    ),
)

"""The rows of applications to become a vendor. They go with the account."""

from collections.abc import Sequence

from services.chassis import database, pages
from services.user.domain.vendors import FIELDS, Application, Draft, State

_COLUMNS = f"id, user_id, state, create_time, decide_time, reason, {', '.join(FIELDS)}"
_INSERT = database.Statement("""
INSERT INTO vendor_applications (id, user_id, state, shop_name, legal_name, country, tax_number, contact, create_time)
VALUES (%(id)s, %(user_id)s, 'PENDING', %(shop_name)s, %(legal_name)s, %(country)s, %(tax_number)s, %(contact)s, %(create_time)s)
ON CONFLICT (user_id) WHERE state = 'PENDING' DO NOTHING
RETURNING 1
""")
_FIND = database.Statement(f"SELECT {_COLUMNS} FROM vendor_applications WHERE id = %(id)s")  # noqa: S608 - names of columns
_LOCK = database.Statement(f"SELECT {_COLUMNS} FROM vendor_applications WHERE id = %(id)s FOR UPDATE")  # noqa: S608 - names of columns
_OF_USER = database.Statement(
    f"SELECT {_COLUMNS} FROM vendor_applications WHERE user_id = %(user_id)s ORDER BY id DESC LIMIT 100"  # noqa: S608 - columns
)
_PAGE = database.Statement(
    f"SELECT {_COLUMNS} FROM vendor_applications WHERE id < %(before)s ORDER BY id DESC LIMIT %(most)s"  # noqa: S608 - columns
)
_PAGE_OF_STATE = database.Statement(f"""
SELECT {_COLUMNS} FROM vendor_applications WHERE state = %(state)s AND id < %(before)s ORDER BY id DESC LIMIT %(most)s
""")  # noqa: S608 - names of columns
_WRITE = database.Statement("""
UPDATE vendor_applications SET state = %(state)s, decide_time = %(decide_time)s, reason = %(reason)s WHERE id = %(id)s
""")


async def insert(transaction: database.Transaction, application: Application) -> bool:
    """Write a new application; False when its applicant has one that is not decided."""
    row = {name: getattr(application, name) for name in ("id", "user_id", "create_time")}
    return bool(await transaction.run(_INSERT, row | {name: getattr(application.draft, name) for name in FIELDS}))


async def find(db: database.Database, application_id: str) -> Application | None:
    """The application with this id."""
    return _only(await db.read(_FIND, {"id": application_id}))


async def lock(transaction: database.Transaction, application_id: str) -> Application | None:
    """The application with this id, which nobody else changes until the transaction ends; after its account was locked."""
    return _only(await transaction.run(_LOCK, {"id": application_id}))


async def of_user(on: database.Transaction | database.Database, user_id: str) -> Sequence[Application]:
    """Somebody's applications, the newest first, at most 100."""
    run = on.run if isinstance(on, database.Transaction) else on.read
    return [_application(row) for row in await run(_OF_USER, {"user_id": user_id})]


async def page(db: database.Database, state: State | None, place: pages.Page) -> pages.Slice[Application]:
    """A page of the applications in a state, or of all, the newest first."""
    values = {"state": state, "before": place.after or pages.LAST_ID, "most": place.size + 1}
    rows = await db.read(_PAGE_OF_STATE if state else _PAGE, values)
    return pages.cut([_application(row) for row in rows], place, lambda application: application.id)


async def write(transaction: database.Transaction, application: Application) -> None:
    """Write what was decided of an application that was locked."""
    names = ("id", "state", "decide_time", "reason")
    await transaction.run(_WRITE, {name: getattr(application, name) for name in names})


def _only(rows: Sequence[database.Row]) -> Application | None:
    return _application(rows[0]) if rows else None


def _application(row: database.Row) -> Application:
    application_id, user_id, state, create_time, decide_time, reason, *said = row
    return Application(application_id, user_id, Draft(*said), create_time, State(state), decide_time, reason)

"""What is erased of an account that was erased."""

from services.chassis import database

# Of an erased user nothing is left but which messages there were, and when. What was not sent yet has no contact any more. The
# reason may be a mail server's words, which may name the address.
ERASE = (
    database.Statement("DELETE FROM contacts WHERE user_id = ANY(%(users)s::uuid[])"),
    database.Statement("DELETE FROM preferences WHERE user_id = ANY(%(users)s::uuid[])"),
    database.Statement("""
UPDATE notifications SET subject = '', details = '{}', reason = ''
WHERE user_id = ANY(%(users)s::uuid[]) AND next_try_at IS NULL AND (subject <> '' OR details <> '{}' OR reason <> '')
"""),
)

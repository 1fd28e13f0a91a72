"""The catalogues of translations: each has every text of the messages, with the translation that it had before.

What is new has none yet, and what only resembles an old text is not guessed: a test refuses both until somebody translates them.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages import catalog, extract, pofile

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "services" / "notification"
CATALOGUES = SERVICE / "locale"
# Where texts stand, and by which calls: in templates, and in the two modules that say something themselves.
SOURCES = {
    "jinja2.ext:babel_extract": (SERVICE / "templates", ("*.html", "*.mail", "*.txt")),
    "python": (SERVICE, ("domain/reasons.py", "words.py")),
}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "said": None}


def generated() -> Mapping[Path, str]:
    """Every catalogue and what it must hold."""
    return {path: _updated(path) for path in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po"))}


def texts() -> Iterator[str | tuple[str, ...]]:
    """Every text of the messages, in the order of the files; of a plural both forms."""
    for method, (folder, patterns) in SOURCES.items():
        for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
            with path.open("rb") as file:
                for _, text, _, _ in extract.extract(method, file, keywords=KEYWORDS):
                    yield text


def _updated(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        old = pofile.read_po(file, locale=path.parent.parent.name)
    new = catalog.Catalog(locale=old.locale, fuzzy=False, header_comment="# Translations of the messages to customers.")
    for text in texts():
        known = old.get(text if isinstance(text, str) else text[0])
        new.add(text, known.string if known else "", flags=known.flags if known else ())
    written = io.BytesIO()
    pofile.write_po(written, new, omit_header=True, width=110)
    head = (
        f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {new.plural_forms}\\n"\n\n'
    )
    return head + written.getvalue().decode()

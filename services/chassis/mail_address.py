"""Email addresses: the form in which they are kept, compared and written to, and the form in which people read them.

The domain of an address may be an internationalised one (IDNA 2008). It is kept as mail servers know it, in punycode, so that
both spellings of a domain are one address; people read it in their own script.
"""

import unicodedata

import idna

_PUNYCODE = "xn--"


def kept(typed: str) -> str:
    """The form of an address that is kept: lower case, without outer spaces, the domain in ASCII. Raises ValueError."""
    local, at, domain = typed.strip().lower().rpartition("@")
    if domain.isascii() and _PUNYCODE not in domain:
        return f"{local}{at}{domain}"
    return f"{local}{at}{idna.encode(unicodedata.normalize('NFC', domain)).decode('ascii')}"


def shown(address: str) -> str:
    """A kept address as people read it: the domain in its own script."""
    if _PUNYCODE not in address:
        return address
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except idna.IDNAError:
        # A release that did not look into punycode has kept it: it is shown as it is.
        return address

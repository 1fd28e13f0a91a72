"""Amounts and reasons as messages say them, marked for the catalogues."""

from collections.abc import Mapping

from services.chassis import money

# The details of messages that are amounts, as `in_words` writes them.
AMOUNTS = frozenset({"amount", "refunded", "total"})


def said(text: str) -> str:
    """The text. The call marks it for the catalogues: what it ends up in is written in other languages too."""
    return text


# Why an order was cancelled, in words that end the sentence "It was cancelled because ...".
CANCELLED_BECAUSE: Mapping[str, str] = {
    "STOCK_SHORT": said("something you ordered is out of stock"),
    "STOCK_LOST": said("something you ordered is out of stock"),
    "COUPON_REFUSED": said("a coupon of yours was used up before your order could use it"),
    "COUPON_TIMEOUT": said("we could not redeem your coupon in time"),
    "STOCK_TIMEOUT": said("we could not check in time whether everything is in stock"),
    "HOLD_EXPIRED": said("we could not keep your items reserved for long enough"),
    "PAYMENT_DECLINED": said("your payment was declined"),
    "PAYMENT_TIMEOUT": said("your payment could not be confirmed in time"),
    "CONFIRMATION_TIMEOUT": said("you did not confirm the payment in time"),
    "CAPTURE_REFUSED": said("your bank refused the payment"),
    "CANCEL_REQUESTED": said("you asked us to"),
}
CANCELLED_ANYHOW = said("we could not complete it")


def cancelled_because(reason: str) -> str:
    """A cancellation's reason code in words."""
    return CANCELLED_BECAUSE.get(reason, CANCELLED_ANYHOW)


# Why a parcel does not arrive, in words that end the sentence "It does not reach you: ...".
UNDELIVERABLE_BECAUSE: Mapping[str, str] = {
    "LABEL_REFUSED": said("the carrier did not take it"),
    "RETURNED": said("the carrier brought it back to us"),
    "LOST": said("the carrier lost it"),
    "DAMAGED": said("it was damaged on its way"),
}
UNDELIVERABLE_ANYHOW = said("the carrier could not bring it")


def undeliverable_because(cause: str) -> str:
    """The cause of a parcel that does not arrive in words."""
    return UNDELIVERABLE_BECAUSE.get(cause, UNDELIVERABLE_ANYHOW)


# What protects an account and was changed, as a sentence.
SECURITY_CHANGES: Mapping[str, str] = {
    "PASSWORD_CHANGED": said("The password of your account was changed."),
    "SECOND_FACTOR_ENABLED": said("A second factor was switched on for your account."),
    "SECOND_FACTOR_DISABLED": said("The second factor of your account was switched off."),
    "RECOVERY_CODES_RENEWED": said("Your account has new recovery codes, and those of before do not count any more."),
    "RECOVERY_CODE_USED": said("A recovery code of your account was used."),
    "SIGN_IN_LINK_ADDED": said("An account of another provider opens your account now."),
    "SIGN_IN_LINK_REMOVED": said("An account of another provider does not open your account any more."),
}
SECURITY_CHANGED_ANYHOW = said("Something that protects your account was changed.")


def security_changed(change: str) -> str:
    """A change of what protects an account in words."""
    return SECURITY_CHANGES.get(change, SECURITY_CHANGED_ANYHOW)


def in_words(amount: money.Money) -> str:
    """An amount among the details of a message: `1234.50 USD`, `700 JPY`. Each language writes it in its own way."""
    return str(amount)

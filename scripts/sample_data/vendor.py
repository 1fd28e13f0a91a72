"""The vendor of the sample shop: an account that may sell, made when it is missing."""

from dataclasses import dataclass

from scripts.operate.edge import Edge, RefusedError

ROLES = ["CUSTOMER", "VENDOR"]


@dataclass(frozen=True, slots=True)
class Account:
    """Who the vendor is, and how they sign in."""

    email: str
    password: str
    display_name: str


async def sign_in(vendor: Edge, admin: Edge, account: Account) -> None:
    """Sign the vendor in, with an account and the role if they had none. `admin` is signed in. Raises EdgeError."""
    try:
        user = await vendor.sign_in(account.email, account.password)
    except RefusedError as refused:
        if refused.reason != "CREDENTIALS_WRONG":
            raise
        user = await vendor.register(account.email, account.password, account.display_name)
    if "VENDOR" not in user["roles"]:
        await admin.put(f"/api/v1/users/{user['id']}/roles", {"roles": ROLES})
        # The role counts from the next token.
        await vendor.sign_in(account.email, account.password)

"""A customer applies, an administrator approves, and the next session sells."""

from collections.abc import Mapping

from tests.support import shop

APPLICATIONS = "/api/v1/vendors/applications"
MINE = "/api/v1/users/me/vendor-application"
TEAS = {
    "shop_name": "Ada's Teas",
    "legal_name": "Ada Ltd",
    "country": "GB",
    "tax_number": "GB 123 4567 89",
    "contact": "ada@example.com",
}


async def test_a_customer_applies_and_is_a_vendor_when_an_administrator_approves(
    market: shop.Shop, environment: Mapping[str, str]
) -> None:
    customer, password = await market.registered()
    made = shop.taken(await customer.post(APPLICATIONS, TEAS, key="apply-once"))
    assert made == shop.taken(await customer.post(APPLICATIONS, TEAS, key="apply-once"))
    assert shop.taken(await customer.http.get(MINE)) == made
    assert made["state"] == "PENDING"

    stranger = await market.stranger()
    login = {"email": environment["ADMIN_EMAIL"], "password": environment["ADMIN_PASSWORD"]}
    token = shop.taken(await stranger.post("/api/v1/users/login", login))["access_token"]
    admin = {"authorization": f"Bearer {token}"}
    listed = shop.taken(await stranger.http.get(APPLICATIONS, params={"state": "PENDING"}, headers=admin))
    assert made["id"] in {one["id"] for one in listed["applications"]}
    path = f"{APPLICATIONS}/{made['id']}/approve"
    decided = shop.taken(await stranger.http.put(path, json={"reason": "sells tea"}, headers=admin))
    assert (decided["state"], decided["reason"]) == ("APPROVED", "sells tea")

    again = shop.taken(await stranger.post("/api/v1/users/login", {"email": customer.email, "password": password}))
    assert again["user"]["roles"] == ["CUSTOMER", "VENDOR"]
    export = shop.taken(await customer.http.get("/api/v1/users/me/export"))
    assert [one["id"] for one in export["vendor_applications"]] == [made["id"]]

"""A second factor through the edge: enrolled, asked for at every sign-in, replaced by a recovery code, and switched off."""

import pyotp

from tests.support import shop

LOGIN = "/api/v1/users/login"
FACTOR = "/api/v1/users/me/second-factor"


async def test_a_sign_in_needs_password_and_code_until_the_second_factor_is_off(market: shop.Shop) -> None:
    customer, password = await market.registered()
    stranger = await market.stranger()
    lost = shop.taken(await stranger.post(LOGIN, {"email": customer.email, "password": password}))
    begun = shop.taken(await customer.post(FACTOR, {"current_password": password}))
    authenticator = pyotp.parse_uri(begun["otpauth_uri"])
    assert isinstance(authenticator, pyotp.TOTP)
    code = authenticator.now()
    [recovery, other, *_] = shop.taken(await customer.http.put(FACTOR, json={"code": code}))["recovery_codes"]

    # Who switched it on stays signed in; everybody else has to come again, with a code.
    state = shop.taken(await customer.http.get(FACTOR))
    assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
    assert (await stranger.post("/api/v1/users/refresh", {"refresh_token": lost["refresh_token"]})).status_code == 401
    reasons = []
    for sent in ("", code, "not a code"):
        answer = await stranger.post(LOGIN, {"email": customer.email, "password": password, "code": sent})
        assert answer.status_code == 401
        reasons += [detail["reason"] for detail in answer.json()["details"] if "reason" in detail]
    assert reasons == ["SECOND_FACTOR_REQUIRED", "SECOND_FACTOR_WRONG", "SECOND_FACTOR_WRONG"]

    login = {"email": customer.email, "password": password, "code": recovery}
    assert shop.taken(await stranger.post(LOGIN, login))["user"]["id"] == customer.user_id
    assert (await stranger.post(LOGIN, login)).status_code == 401
    exported = shop.taken(await customer.http.get("/api/v1/users/me/export"))
    assert exported["second_factor"]["recovery_codes_left"] == 9

    shop.taken(await customer.post(f"{FACTOR}/disable", {"current_password": password, "code": other}))
    shop.taken(await stranger.post(LOGIN, {"email": customer.email, "password": password}))

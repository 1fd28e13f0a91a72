"""A payment provider to test against: it authorises, captures, voids and refunds, and fails in every way that matters.

    python -m scripts.simulators.provider --listen HOST:PORT --state DIR

DIR/provider.log is both its memory and its testimony: one JSON line per answer that binds it, written before the answer
leaves. It is replayed at the start, so a `kill -9` loses nothing, and a test that looks for double charges reads it.

Bodies are JSON; amounts are integers in minor units of the currency. Every POST needs an `Idempotency-Key` header. The
same key with the same request gets the same answer, a decline or refusal included; with another request it gets
409 `idempotency_key_reused`. A 500 is never remembered; what happened before it is. A key is forgotten after a day, as real
providers do: a request that comes later with it is a new one.

    POST /v1/charges                {amount, currency, payment_method, reference}
        200 the charge | 402 {status: "declined", error: {code, message}, ...}
    GET  /v1/charges?idempotency_key=K
        what POST /v1/charges with that key led to: 200 the charge as it is now or the decline | 404 `charge_not_found`
    GET  /v1/charges?reference=R
        the newest charge with that reference, as it is now, whatever key made it: 200 | 404 `charge_not_found`
    GET  /v1/charges?after=N
        200 {data: [...], next}: up to 100 charges behind the first N, oldest first; next is null on the last page
    GET  /v1/charges/{id}           200 the charge | 404 `charge_not_found`
    GET  /bank/{id}/{secret}        the page of the customer's bank, where a charge's `next_action.url` leads
    POST /bank/{id}/{secret}        a form with `answer`: `confirm` or `refuse`
        200 the charge | 404 `charge_not_found`, also when it was answered before
    POST /v1/charges/{id}/capture   {amount}: all of it when left out; once, the rest is let go
        200 | 402 `capture_refused` | 409 `charge_already_captured`, `charge_not_capturable`, `capture_exceeds_charge`
    POST /v1/charges/{id}/void      200, also when it was voided before | 409 `charge_already_captured`
    POST /v1/charges/{id}/refund    {amount}: the rest when left out
        200 | 409 `charge_not_refundable`, `refund_exceeds_capture`

A charge is {id, status, amount, currency, reference, payment_method, captured_amount, refunded_amount}; its status goes
from `authorized` to `voided`, or to `captured`, `partially_refunded`, `refunded`. One whose customer has to confirm begins as
`requires_action`, with `next_action: {type, url}` as a PaymentIntent of Stripe's has it (3-D Secure,
https://docs.stripe.com/payments/3d-secure/authentication-flow), and becomes `authorized`, or `declined` with its `error`.
Malformed requests get 400 `invalid_request` or `idempotency_key_missing`. An error is {error: {code, message}}.

The payment method decides (`cards.py` is the table): card_approved, card_declined, card_insufficient_funds, card_slow,
card_timeout_after_charge, card_timeout_before_charge, card_error_500, card_charge_then_500, card_capture_refused,
card_requires_action (the customer has to confirm), card_action_then_declined (and the bank declines all the same); any
other is declined with `unknown_payment_method`.

It tells of each charge that is authorised, captured, voided or refunded, and of what a test makes happen, by webhooks, as soon
as it was told where to (PUT /webhooks). They are signed in Stripe's way, in `Webhook-Signature`, and sent again for a while until
they are answered with 2xx: so they come late, twice and in any order.

    PUT  /webhooks              {url, secret, copies, delay_seconds}: where events go from now on, see `hooks` beside this package
    POST /v1/refunds/failures   {key, reason}: the refund made with this idempotency key comes to nothing after all
    POST /v1/disputes           {charge, status, id}: `needs_response` opens a dispute, `won` and `lost` end the one with this id

What a test steers and reads; it answers in every mode:

    GET    /control    {mode, latency_ms, error_rate, slow_seconds, hang_seconds, key_seconds}
    PUT    /control    any of them. mode: `normal`, `down` (503 to all), `errors` (500 to all), `hang` (no answer).
                       key_seconds: how long an idempotency key is remembered, a day unless told.
                       error_rate: that share of calls gets a 500, in turn before and after taking effect.
    DELETE /control    back to normal, as a restart does too
    GET    /v1/log?reference=ORDER    {lines: [...]}: the log's lines about one reference, oldest first
    GET    /stats      {charges, by_currency: {USD: {authorized, captured, refunded, voided}}}: sums in minor units
    GET    /healthz    200

Reading order: `charges` (the rules), `cards`, `ledger` (the log), `provider`, `control`, `web`, `__main__`.
"""

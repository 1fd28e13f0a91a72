"""A carrier to test against: it sells labels, moves parcels by a clock of its own, and fails in every way that matters.

    python -m scripts.simulators.carrier --listen HOST:PORT --state DIR [--speed 36000]

DIR/carrier.log is both its memory and its testimony: one JSON line per answer that binds it, written before the answer leaves.
It is replayed at the start, so a `kill -9` loses nothing, and a test that looks for labels that were bought twice reads it.

Bodies are JSON. A purchase needs an `Idempotency-Key` header: the same key with the same request gets the same answer, with
another request 409 `idempotency_key_reused`. Another key with the same reference buys another label: that is the caller's
mistake, as with real carriers.

    POST /v1/labels              {reference, from, to: {city, country, ...}}
        200 the label | 422 {error: {code}}: `address_undeliverable`
    GET  /v1/labels?reference=R  the newest label with that reference, whatever key bought it: 200 | 404 `label_not_found`
    GET  /v1/labels/{id}         200 | 404
    POST /v1/labels/{id}/void    200, also when it was voided before | 409 `label_used`
    POST /v1/manifests           {labels: [id, ...]}: the carrier has these parcels now, and they begin to travel
        200 {accepted: [id, ...], refused: [id, ...]}: refused are those it does not know or that were voided
    POST /v1/ways                {labels: [id, ...]}
        200 {ways: [{label, scans: [{number, code, place, time}]}]}: what has happened so far; unknown labels are absent

A label is {id, carrier, reference, status, tracking_number, tracking_url, label_url}; its status is `bought`, `voided` or `used`.
A scan's code is accepted, in_transit, out_for_delivery, delivered, delivery_failed, returning, returned, lost or damaged.

The city that a parcel goes to decides (`places.py` is the table): Lost Creek, Breaker Ridge, Absent Hollow, Return Point,
Refusal Bay, Slow Valley, Silent Lake, Error Falls, Echo Cliff; to any other it is delivered after 30 hours. The hours are the
carrier's: at a speed of 36000 they pass in three seconds.

It tells of each scan by a webhook, as soon as it was told where to (PUT /webhooks, see `hooks` beside this package): the event
`scan.<code>` about {label, reference, number, code, place, time}, sent again for a while until it is answered with 2xx.

    PUT    /webhooks    {url, secret, copies, delay_seconds}

What a test steers and reads; it answers in every mode:

    GET    /control    {mode, latency_ms, error_rate, slow_seconds, hang_seconds, speed}
    PUT    /control    any of them, as with the payment provider. speed: how fast the carrier's clock runs, 0 stops it.
    DELETE /control    back to what it began with, as a restart does too
    GET    /v1/log?reference=R    {lines: [...]}: the log's lines about one reference, oldest first
    GET    /stats      {labels, voided, used}: how many
    GET    /healthz    200

Reading order: `places` (how parcels fare), `clock`, `depot` (labels and the log), `scanner`, `web`, `__main__`.
"""

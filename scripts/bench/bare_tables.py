"""The tables of the bare event path: three services as three schemas of one database, nothing but what must be kept."""

_EVENTS = """
CREATE TABLE {schema}.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL, topic text NOT NULL, key text NOT NULL, type text NOT NULL, payload bytea NOT NULL);
CREATE TABLE {schema}.inbox (event_id uuid PRIMARY KEY, time timestamptz NOT NULL DEFAULT now());
"""
_OWN = """
DROP SCHEMA IF EXISTS orders, inventory, payments CASCADE;
CREATE SCHEMA orders;
CREATE SCHEMA inventory;
CREATE SCHEMA payments;
CREATE TABLE orders.orders (
  id uuid PRIMARY KEY, user_id uuid NOT NULL, status text NOT NULL, total bigint NOT NULL, currency text NOT NULL,
  version int NOT NULL DEFAULT 1, create_time timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders.orders (user_id, create_time);
CREATE TABLE orders.lines (order_id uuid, sku text, quantity int, price bigint, PRIMARY KEY (order_id, sku));
CREATE TABLE orders.sagas (order_id uuid PRIMARY KEY, step text NOT NULL, deadline timestamptz NOT NULL);
CREATE INDEX ON orders.sagas (deadline) WHERE step <> 'DONE';
CREATE TABLE orders.history (
  order_id uuid, sequence int, status text NOT NULL, time timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (order_id, sequence));
CREATE TABLE orders.idempotency (user_id uuid, key text, order_id uuid NOT NULL, PRIMARY KEY (user_id, key));
CREATE TABLE inventory.stock (
  sku text PRIMARY KEY, on_hand bigint NOT NULL, reserved bigint NOT NULL, CHECK (reserved BETWEEN 0 AND on_hand));
CREATE TABLE inventory.reservations (
  order_id uuid, sku text, quantity int NOT NULL, status text NOT NULL, expire_time timestamptz NOT NULL,
  PRIMARY KEY (order_id, sku));
CREATE TABLE payments.payments (order_id uuid PRIMARY KEY, status text NOT NULL, amount bigint NOT NULL);
CREATE TABLE payments.ledger (
  id bigint GENERATED ALWAYS AS IDENTITY, order_id uuid NOT NULL, account text NOT NULL, amount bigint NOT NULL);
INSERT INTO inventory.stock SELECT 'SKU-' || number, 100000000, 0 FROM generate_series(0, 999) AS number;
"""
SCHEMAS = ("orders", "inventory", "payments")
DDL = _OWN + "".join(_EVENTS.format(schema=schema) for schema in SCHEMAS)

"""Kafka: a thin port over kafka-python, whose clients block. Each lives in threads; batches cross to the event loop.

Beside what is here: `security` (how to prove who we are), `topics`, `rights` and `fetched`. Nothing else imports the library.
"""

from services.chassis.kafka.connection import Connection, Record
from services.chassis.kafka.consumer import Consumer, Deliver, Subscription
from services.chassis.kafka.producer import Producer

__all__ = ["Connection", "Consumer", "Deliver", "Producer", "Record", "Subscription"]

"""What promotion keeps and shows, and messages of the contract: `of_entry` renders an entry."""

from services.promotion import domain
from souk.promotion.v1 import promotion_entry_pb2, promotion_events_pb2


def of_entry(entry: domain.Entry) -> promotion_entry_pb2.PromotionEntry:
    return promotion_entry_pb2.PromotionEntry(user_id=entry.user_id, text=entry.text, version=entry.version)


def of_entry_changed(fact: domain.EntryChanged) -> promotion_events_pb2.PromotionEntryChanged:
    return promotion_events_pb2.PromotionEntryChanged(user_id=fact.entry.user_id, entry=of_entry(fact.entry))

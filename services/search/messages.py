"""What search keeps and shows, and messages of the contract: `of_entry` renders an entry."""

from services.search import domain
from souk.search.v1 import search_entry_pb2


def of_entry(entry: domain.Entry) -> search_entry_pb2.SearchEntry:
    return search_entry_pb2.SearchEntry(user_id=entry.user_id, text=entry.text, version=entry.version)

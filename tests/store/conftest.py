from tests.store.databases import empty_url, outbox, store, store_url

__all__ = ["empty_url", "outbox", "store", "store_url"]

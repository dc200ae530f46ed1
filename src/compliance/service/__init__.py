"""The service: the store, the purge-date API, and its typed client."""

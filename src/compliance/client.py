"""The typed client of the purge-date API; see `compliance.service.client`."""

from compliance.service.client import ApiError, Client

__all__ = ["ApiError", "Client"]

"""What every route needs: settings, law, store."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from compliance.law.knowledge import KnowledgeBase
from compliance.service.settings import Settings
from compliance.service.store import Store


@dataclass
class Service:
    """One running service."""

    settings: Settings
    knowledge: KnowledgeBase
    store: Store


def serving(request: Request) -> Service:
    """Return the service that a request came to."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found

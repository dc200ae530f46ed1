"""The purge-date API: `create_app(settings, knowledge, store)` puts the resources together, one module each.

`app.state.service` holds what every route needs; routes read it by `serving(request)`.
"""

from __future__ import annotations

from fastapi import FastAPI

from compliance import __version__
from compliance.law.knowledge import KnowledgeBase
from compliance.service import health
from compliance.service.serving import Service
from compliance.service.settings import Settings
from compliance.service.store import Store


def create_app(settings: Settings, knowledge: KnowledgeBase, store: Store) -> FastAPI:
    """Return the whole service as an ASGI application."""
    app = FastAPI(title="imaging-compliance", version=__version__, docs_url="/docs" if settings.docs else None)
    app.state.service = Service(settings, knowledge, store)
    for resource in (health,):
        app.include_router(resource.router)
    return app

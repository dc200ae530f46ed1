"""The service under uvicorn: what it is bound to, how it logs, how long it waits for slow callers."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import fields

import uvicorn
from fastapi import FastAPI

from compliance.errors import UsageError
from compliance.law.knowledge import load
from compliance.service import handing
from compliance.service.api import create_app
from compliance.service.protocol import Protocol
from compliance.service.settings import PREFIX, Settings, from_environment
from compliance.service.store import Store

_MOST_AT_ONCE = 2000


def run(settings: Settings, workers: int = 1, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until stopped; `ready` is called before that, when nothing stands in the way.

    Raises UsageError where strangers could reach it and nobody would need a key.
    """
    store = Store(settings.database_url).open()
    if not settings.on_loopback and not settings.oidc_issuer and not _has_keys(store):
        raise UsageError(
            f"bound to {settings.host}, the service needs to know who calls: make a key first (compliance keys new NAME "
            "--scope admin), or set COMPLIANCE_OIDC_ISSUER and COMPLIANCE_OIDC_AUDIENCE"
        )
    if settings.oidc_issuer and not settings.oidc_audience:
        raise UsageError("COMPLIANCE_OIDC_AUDIENCE is missing: tokens for others would be taken")
    if settings.law_desk is not None:
        handing.need_work_tree(settings.law_desk)
    store.close()
    _hand_down(settings)
    ready()
    try:
        uvicorn.run(
            "compliance.service.running:app", factory=True, host=settings.host, port=settings.port, workers=workers,
            access_log=False, server_header=False, proxy_headers=False, log_level="warning", lifespan="on",
            timeout_keep_alive=15, limit_concurrency=_MOST_AT_ONCE, http=Protocol, ws="none",
        )  # fmt: skip
    except SystemExit as stopped:
        if stopped.code:
            raise UsageError(f"the service could not start on {settings.host}:{settings.port}") from None


def _has_keys(store: Store) -> bool:
    from compliance.service.keys import every

    return any(not one.revoked for one in every(store))


def _hand_down(settings: Settings) -> None:
    """Workers read their settings from the environment."""
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if value is not None:
            os.environ[PREFIX + field.name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)


def _own(record: logging.LogRecord) -> bool:
    """Drop uvicorn's traceback of a fault: it shows values; the gate logs kind and place."""
    return "Exception in ASGI application" not in str(record.msg)


def app() -> FastAPI:
    """Return the application of one worker, made from the environment."""
    settings = from_environment(os.environ)
    Protocol.idle_seconds = settings.idle_seconds
    logging.getLogger("uvicorn.error").addFilter(_own)
    log = logging.getLogger("compliance.service")
    if not log.handlers:
        log.addHandler(logging.StreamHandler(sys.stderr))
        log.setLevel(logging.INFO)
        log.propagate = False
    made = create_app(settings, load(settings.laws), Store(settings.database_url).open())
    gc.freeze()  # the law base stays as long as the process: no collection need walk it
    return made

"""Is it alive, is it ready."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

router = APIRouter()


@router.get("/healthz", summary="The process answers")
async def healthz(request: Request) -> Response:
    """Answer at once, whatever the store does."""
    return JSONResponse({"status": "ok"})

"""What the gate reads in the head of a request. Callers send the same head again and again: each is read once."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from compliance.service.problems import Refusal

_PROXIES = frozenset({
    b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"x-client-ip",
})  # fmt: skip
_MOST, _LONGEST = 40, 4096  # headers and bytes of a head that is remembered
_ONCE = frozenset({b"host", b"content-type", b"authorization", b"origin"})  # given twice, gate and route might read two


class Head(NamedTuple):
    """`name`: the service's, as the caller calls it; `alone`: neither an authorization nor a proxy's mark stands in it;
    `foreign`: a browser sends it for a page of another site.
    """

    name: str
    media_type: str
    length: int
    authorization: str | None
    alone: bool
    foreign: bool


def read_head(headers: tuple[tuple[bytes, bytes], ...]) -> Head:
    """Read headers as ASGI hands them over; raises Refusal. Large heads are not remembered: anybody may send them."""
    small = len(headers) <= _MOST and sum(len(name) + len(value) for name, value in headers) <= _LONGEST
    return (_remembered if small else _read)(headers)


def _read(headers: tuple[tuple[bytes, bytes], ...]) -> Head:
    given = dict(headers)
    if len(names := [name for name, _ in headers if name in _ONCE]) != len(set(names)):
        raise Refusal("bad-request", "Host, Content-Type, Authorization, Origin: each once at most")
    host = given.get(b"host", b"").decode("latin-1").lower()
    length, authorization = given.get(b"content-length", b"0"), given.get(b"authorization")
    return Head(
        name=_without_port(host),
        media_type=given.get(b"content-type", b"").partition(b";")[0].strip().decode("latin-1").lower(),
        length=int(length.lstrip(b"0")[:20] or 0) if length.isdigit() else 0,
        authorization=None if authorization is None else authorization.decode("latin-1"),
        alone=authorization is None and _PROXIES.isdisjoint(given),
        foreign=_foreign(given, host),
    )


_remembered = lru_cache(maxsize=1024)(_read)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _foreign(given: dict[bytes, bytes], host: str) -> bool:
    origin = given.get(b"origin")
    cross = given.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
    try:
        return cross or (origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host)
    except ValueError:  # such as http://[: no address at all
        return True

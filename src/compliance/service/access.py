"""Who calls, and what for: API keys, OIDC bearer tokens, or this machine itself where nothing is configured.

A key is `ick_` and 43 characters from the system's random source; its SHA-256 is stored (it cannot be guessed, so no
slow hash is needed). A token is checked against the issuer's key set: signature (asymmetric algorithms alone), issuer,
audience, expiry. The scope `admin` holds every other; each of them holds `read`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from compliance.service.problems import Refusal
from compliance.service.settings import SCOPES, Settings
from compliance.service.store import Store
from compliance.service.tables import Clients

MARK = "ick_"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LONGEST_SUBJECT = 255
_REMEMBERED = 10.0  # seconds: a revoked key works no longer than that
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="imaging-compliance", Basic realm="imaging-compliance"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Tell whether this caller may do what needs the scope."""
        return scope in self.scopes


HERE = Caller("this machine", frozenset(SCOPES))
NOBODY = Caller("nobody", frozenset())


def with_implied(scopes: Iterable[str]) -> frozenset[str]:
    """Return the scopes with those they hold."""
    given = frozenset(scopes) & frozenset(SCOPES)
    if "admin" in given:
        return frozenset(SCOPES)
    return given | {"read"} if given else given


def new_key() -> tuple[str, str]:
    """Return a new key and its hash."""
    key = MARK + secrets.token_urlsafe(32)
    return key, hash_of(key)


def hash_of(key: str) -> str:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class Access:
    """Knows callers by what they bring; what was found is remembered for some seconds."""

    settings: Settings
    store: Store
    _known: OrderedDict[str, tuple[float, Caller]] = field(default_factory=OrderedDict)
    _open: tuple[float, bool] = (0.0, False)
    _keys: Any = None

    def remembered(self, authorization: str) -> Caller | None:
        """Return the caller of a header seen a moment ago."""
        found = self._known.get(hash_of(authorization))
        return found[1] if found and found[0] > time.monotonic() else None

    def known(self, authorization: str) -> Caller:
        """Return the caller that a header names; may ask the store and the issuer. Raises Refusal."""
        scheme, _, rest = authorization.partition(" ")
        secret = rest.strip()
        if scheme.lower() == "basic":
            secret = _password(secret)
        elif scheme.lower() != "bearer":
            raise Refusal("unauthenticated", "Allowed: Authorization: Bearer KEY-OR-TOKEN", headers=_CHALLENGE)
        caller, until = self._by_key(secret) if secret.startswith(MARK) else self._by_token(secret)
        self._known[hash_of(authorization)] = (min(time.monotonic() + _REMEMBERED, until), caller)
        while len(self._known) > 4096:
            self._known.popitem(last=False)
        return caller

    def open_here(self) -> bool:
        """Tell whether calls from this machine need no key: bound to loopback, no key made, no issuer configured."""
        if not self.settings.on_loopback or self.settings.oidc_issuer:
            return False
        if not self.is_fresh():
            none = self.store.read(lambda session: session.execute(select(Clients.id).limit(1)).first() is None)
            self._open = (time.monotonic() + 1.0, none)
        return self._open[1]

    def is_fresh(self) -> bool:
        """Tell whether `opened` was found out a moment ago."""
        return self._open[0] > time.monotonic()

    @property
    def opened(self) -> bool:
        """What `open_here` last found."""
        return self._open[1]

    def forget(self) -> None:
        """Forget what is remembered, after keys have changed."""
        self._known.clear()
        self._open = (0.0, False)

    def _by_key(self, key: str) -> tuple[Caller, float]:
        def find(session: Session) -> Caller | None:
            row = session.execute(select(Clients).where(Clients.key_hash == hash_of(key))).scalar_one_or_none()
            return Caller(row.name, with_implied(row.scopes.split())) if row and not row.revoked else None

        found = self.store.read(find)
        if found is None:
            raise Refusal("unauthenticated", "This key is not known, or was revoked", headers=_CHALLENGE)
        return found, float("inf")

    def _by_token(self, token: str) -> tuple[Caller, float]:
        if not self.settings.oidc_issuer:
            raise Refusal(
                "unauthenticated", "This is no key of this service (they begin with ick_)", headers=_CHALLENGE
            )
        import jwt

        try:
            key = self._key_set().get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key.key, algorithms=ALGORITHMS, issuer=self.settings.oidc_issuer,
                audience=self.settings.oidc_audience, options={"require": ["exp", "iss", "aud", "sub"]},
            )  # fmt: skip
        except jwt.PyJWKClientConnectionError:
            raise Refusal("store-away", "The issuer's keys cannot be read now") from None
        except RecursionError:
            raise Refusal(
                "unauthenticated", "This token is not accepted: it cannot be read", headers=_CHALLENGE
            ) from None
        except jwt.PyJWTError as error:
            raise Refusal("unauthenticated", f"This token is not accepted: {error}", headers=_CHALLENGE) from None
        until = time.monotonic() + float(claims["exp"]) - time.time()
        return Caller(_subject(claims["sub"]), with_implied(_claimed(claims.get(self.settings.oidc_claim)))), until

    def _key_set(self) -> Any:
        if self._keys is None:
            import jwt

            self._keys = jwt.PyJWKClient(self.settings.oidc_jwks or _discovered(self.settings.oidc_issuer), timeout=5)
        return self._keys


def _subject(sub: Any) -> str:
    """Return the actor that a token names, whole: two subjects are never one (OpenID Connect Core 1.0, section 2)."""
    text = str(sub)
    if not text.isascii() or not text.isprintable() or not 0 < len(text) <= _LONGEST_SUBJECT:
        wrong = f"its sub is not of 1 to {_LONGEST_SUBJECT} printable ASCII characters"
        raise Refusal("unauthenticated", f"This token is not accepted: {wrong}", headers=_CHALLENGE)
    return f"oidc:{text}"


def _claimed(raw: Any) -> Iterable[str]:
    words = raw.split() if isinstance(raw, str) else raw if isinstance(raw, list) else []
    return [str(word).removeprefix("compliance:") for word in words]


def _discovered(issuer: str) -> str:
    """OpenID Connect Discovery 1.0, section 4."""
    import httpx

    try:
        found = httpx.get(issuer.rstrip("/") + "/.well-known/openid-configuration", timeout=5).raise_for_status().json()
        return str(found["jwks_uri"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise Refusal("store-away", "The issuer's configuration cannot be read now") from None


def _password(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[2]
    except ValueError:
        raise Refusal("unauthenticated", "This is no Basic authorization", headers=_CHALLENGE) from None


def no_caller(where: str) -> Refusal:
    """Return the refusal for a request without authorization."""
    return Refusal(
        "unauthenticated", f"{where} Send Authorization: Bearer KEY (compliance keys new)", headers=_CHALLENGE
    )

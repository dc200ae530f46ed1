"""How the service runs. Without any setting: bound to loopback, SQLite in the user's data folder, no key needed there."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from compliance.errors import UsageError, guess, listed

PREFIX = "COMPLIANCE_"
SCOPES = ("read", "audit", "hold", "admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting is also an environment variable: `COMPLIANCE_` + the name in capitals.

    `database`: SQLAlchemy URL. `inventory`: of the archive, from which the page of a study draws its timeline. `law_desk`: the folder of laws
    served, in a git work tree, in which administrators commit law files. `hosts`:
    names by which the service may be called. `oidc_*`: bearer tokens; the scopes of a token stand in its claim `oidc_claim`. `webhook_private`: webhooks may go to private addresses. `rate`: requests a
    minute for each caller, 0 = no limit. `body_limit`, `stream_limit`: bytes of one JSON body, of one stream.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    database: str = ""
    laws: Path | None = None
    profile: Path | None = None
    inventory: Path | None = None
    law_desk: Path | None = None
    assume: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    rate: int = 6000
    body_limit: int = 8 << 20
    stream_limit: int = 8 << 30
    idle_seconds: int = 30
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks: str = ""
    oidc_claim: str = "scope"
    webhook_private: bool = False

    @property
    def on_loopback(self) -> bool:
        """The service is bound to this machine alone."""
        return is_loopback(self.host)

    @property
    def database_url(self) -> str:
        """The URL of the store, with its default."""
        return self.database or f"sqlite:///{data_folder() / 'compliance.db'}"

    @property
    def names(self) -> tuple[str, ...]:
        """Names by which it may be called, without ports."""
        return ("localhost", "127.0.0.1", "[::1]", "testserver", *self.hosts) if self.on_loopback else self.hosts


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Tell whether an address or name means this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def data_folder() -> Path:
    """Return the folder of what the service keeps, by the XDG base directory rules."""
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "imaging-compliance"
    except RuntimeError:
        raise UsageError("no home folder: say where the store lies (COMPLIANCE_DATABASE, --database)") from None


def _check(settings: Settings) -> Settings:
    for name in settings.assume:
        if name not in ("cautious", "practical"):
            raise UsageError(f"assume {name!r} is not allowed. Allowed: cautious, practical (own ones: in the profile)")
    if settings.law_desk is not None:
        if settings.laws is not None and settings.laws.resolve() != settings.law_desk.resolve():
            raise UsageError("--law-desk and --laws are two folders: the desk commits to the law that is served")
        return replace(settings, laws=settings.law_desk)
    return settings


def from_environment(environment: Mapping[str, str], **given: Any) -> Settings:
    """Return the settings of the environment, those given (not None) on top; raises UsageError."""
    found: dict[str, Any] = {}
    known = {field.name: field for field in fields(Settings)}
    for name, field in known.items():
        if (raw := environment.get(PREFIX + name.upper())) is not None:
            found[name] = _read(name, field.default, raw)
    given = {name: value for name, value in given.items() if value is not None}
    if unknown := set(given) - set(known):
        name = sorted(unknown)[0]
        raise UsageError(f"no setting {name!r}. Allowed: {listed(known, 30)}.{guess(name, known)}")
    return _check(replace(Settings(), **{**found, **given}))


def _read(name: str, default: Any, raw: str) -> Any:
    if isinstance(default, bool):
        if raw.lower() in ("1", "true", "yes", "0", "false", "no", ""):
            return raw.lower() in ("1", "true", "yes")
        raise UsageError(f"{PREFIX}{name.upper()}={raw!r} is not allowed. Allowed: true, false")
    if isinstance(default, int):
        if not raw.isascii() or not raw.isdigit():
            raise UsageError(f"{PREFIX}{name.upper()}={raw!r} is no number")
        return int(raw)
    if isinstance(default, tuple):
        return tuple(word.strip() for word in raw.split(",") if word.strip())
    return Path(raw) if default is None else raw

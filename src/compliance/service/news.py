"""What has changed in the law since the service last ran: a ledger entry, and an event for those who listen."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session

from compliance.service import laws, ledger, webhooks, writing
from compliance.service.serving import Service
from compliance.service.store import now
from compliance.service.tables import LawsSeen


def tell(service: Service) -> tuple[str, ...]:
    """Write down which law files are new, changed or gone; return their ids. The first time, all are simply noted."""
    base = service.knowledge
    current = {name: laws.digest_of(base, name) for name in base.files}

    def compare(session: Session) -> tuple[str, ...]:
        ledger.lock(session)
        writing.forget_replies(session)
        seen = {row.statute: row for row in session.execute(select(LawsSeen)).scalars()}
        changed = sorted(
            name for name in current.keys() | seen.keys() if name not in seen or current.get(name) != seen[name].digest
        )
        for name in changed:
            if name not in current:
                session.delete(seen[name])
            elif name in seen:
                seen[name].digest = current[name]
            else:
                session.add(LawsSeen(statute=name, digest=current[name]))
        if not changed:
            return ()
        at, state = now(), {"version": base.version, "digest": base.digest}
        ledger.append(
            session,
            at,
            "the service",
            "laws.changed" if seen else "laws.noted",
            base.version,
            {**state, "files": len(changed)},
        )
        if seen:
            webhooks.announce(session, at, "laws.changed", {**state, "changed": changed})
        return tuple(changed) if seen else ()

    return service.store.write(compare)

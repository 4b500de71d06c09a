"""How a server is reached: encrypted, unless it is this machine or the URL says otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_address

from sqlalchemy import URL, make_url

TLS = "require"
"""What PostgreSQL is asked for: no connection rather than an open one. ``verify-full`` looks at who answers, too."""

WITHOUT_TLS = "the URL may say ?sslmode=disable where the way to the server is safe without"


def server_url(text: str) -> URL:
    """The URL to connect to, with TLS required where it names another machine and states no ``sslmode`` itself."""
    url = make_url(text)
    if "sslmode" in url.query or all(map(_is_here, _hosts(url))):
        return url
    return url.update_query_dict({"sslmode": TLS})


def server_notes(text: str) -> list[str]:
    """What a reviewer should know of the URL: a password in it."""
    url = make_url(text)
    if not (url.password or url.query.get("password")):
        return []
    return [
        "the password stands in the store's URL, where lists of processes and the shell's history show it: "
        "better keep it in ~/.pgpass or in PGPASSWORD and leave it out"
    ]


def _hosts(url: URL) -> Iterator[str]:
    """Everything that says where the server is; what a service's file says is not known and counts as elsewhere."""
    named = [url.host or "", *_values(url, "host"), *_values(url, "hostaddr")]
    if not any(named):
        named = [os.environ.get(name, "") for name in ("PGHOST", "PGHOSTADDR")]
    if "service" in url.query or (not any(named) and os.environ.get("PGSERVICE")):
        yield "?"
    for text in named:
        yield from text.split(",")


def _values(url: URL, name: str) -> tuple[str, ...]:
    value = url.query.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)


def _is_here(host: str) -> bool:
    """Whether a host is this machine: a socket's folder, a name for it, or an address that leads back."""
    if not host or host.startswith(("/", "@")) or host.casefold().rstrip(".") == "localhost":
        return True
    for text in (host.strip("[]"), host.rpartition(":")[0].strip("[]")):
        try:
            return ip_address(text).is_loopback
        except ValueError:
            continue
    return host.casefold().partition(":")[0] == "localhost"

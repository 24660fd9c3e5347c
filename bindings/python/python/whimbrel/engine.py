"""Engines: threads and limits that clients share."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from . import _whimbrel
from ._mailbox import Mailbox
from ._types import Identity

__all__ = ["Endpoint", "Engine", "ImportReport", "LeftOut", "TakenOver", "default_engine"]

CLOSE_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the service is and how it proves itself. Every default is the real service's."""

    url: str | None = None
    """WebSocket address; ``ws://`` is accepted for loopback addresses only."""

    noise_root: tuple[bytes, int] | None = None
    """Root key (32 bytes) and serial of the server's certificate."""

    extra_ca_pem: str | None = None
    """A further TLS certificate authority in PEM form."""

    version_url: str | None = None
    """Page that names the present version of the web client; the service's own if ``None`` and
    ``url`` is the service's."""

    @classmethod
    def sandbox(cls, ready_line: str, *, tls: bool = True) -> Endpoint:
        """The endpoint of a sandbox, from the line of JSON that it prints when it is ready."""
        ready = json.loads(ready_line)
        root = ready["noiseRoot"]
        return cls(
            url=ready["wss" if tls else "ws"],
            noise_root=(bytes.fromhex(root["publicKey"]), root["serial"]),
            extra_ca_pem=ready["caPem"] if tls else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A number of things that an import took over."""

    what: str
    """What they are, such as ``sessions``."""

    count: int
    """How many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A number of things that an import left out."""

    what: str
    """What they are, such as ``contacts``."""

    count: int
    """How many there are."""

    why: str
    """Why they were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import took over and what it did not."""

    identity: Identity
    """The account."""

    device: int
    """Number of this device in the account."""

    taken: tuple[TakenOver, ...]
    """What was taken over; empty for a file of ``Client.export``, which is taken over whole."""

    left_out: tuple[LeftOut, ...]
    """What was left out."""

    warnings: tuple[str, ...]
    """What may cause trouble though it was taken over."""

    @classmethod
    def _decode(cls, value: dict[str, Any]) -> ImportReport:
        return cls(
            identity=Identity._decode(value["identity"]),
            device=value["device"],
            taken=tuple(TakenOver(**one) for one in value["taken"]),
            left_out=tuple(LeftOut(**one) for one in value["leftOut"]),
            warnings=tuple(value["warnings"]),
        )


class Engine:
    """Owns threads for any number of clients.

    Most programs need none of their own: clients share a default one. Close it with ``close``,
    or use it as a context manager, ``async with`` where an event loop runs. What is open when
    the interpreter exits is closed then.

    Args:
        worker_threads: Threads of the engine, 2 if ``None``.
        endpoint: Where the service is, the real one if ``None``.
        client_version: Version of the web client to present; the newest that is known if
            ``None``.
        find_version: When the service refuses the version as too old, look for the present one
            on the service's page, at most once an hour, and try again; yes if ``None``. Never
            done for a version that was set.
        connect_limit: How many clients may be connecting at a time, 64 if ``None``.
        keep_alive: Seconds of silence after which a connection is probed, 30 if ``None``.
        insecure_seed: Seed of all randomness, for repeatable tests. Keys become predictable:
            never set it in production.
    """

    def __init__(
        self,
        *,
        worker_threads: int | None = None,
        endpoint: Endpoint | None = None,
        client_version: tuple[int, int, int] | None = None,
        find_version: bool | None = None,
        connect_limit: int | None = None,
        keep_alive: float | None = None,
        insecure_seed: int | None = None,
    ) -> None:
        endpoint = endpoint or Endpoint()
        self._native = _whimbrel.Engine(
            worker_threads=worker_threads,
            url=endpoint.url,
            noise_root=endpoint.noise_root,
            extra_ca_pem=endpoint.extra_ca_pem,
            client_version=client_version,
            keep_alive=keep_alive,
            insecure_seed=insecure_seed,
            version_url=endpoint.version_url,
            find_version=find_version,
            connect_limit=connect_limit,
        )

    async def import_baileys(
        self, folder: str | os.PathLike[str], store: str | os.PathLike[str]
    ) -> ImportReport:
        """Makes a store of a folder of Baileys' multi-file auth state.

        Open a client on the store afterwards. The folder is not changed, but it must not be
        used again: two holders of one link throw each other out.

        Args:
            folder: The folder with ``creds.json``.
            store: The new store. Nothing may be there, and what fails leaves nothing there.
        """
        return await self._import({"from": "baileys", "folder": os.fspath(folder)}, store)

    async def import_whatsmeow(
        self,
        database: str | os.PathLike[str],
        store: str | os.PathLike[str],
        *,
        account: str | None = None,
    ) -> ImportReport:
        """Makes a store of an account in an SQLite database of whatsmeow.

        Open a client on the store afterwards. The database is not changed, but the account in
        it must not be used again.

        Args:
            database: The database file.
            store: The new store. Nothing may be there, and what fails leaves nothing there.
            account: Phone number or JID; needed if the database holds several accounts.
        """
        source: dict[str, Any] = {"from": "whatsmeow", "database": os.fspath(database)}
        if account is not None:
            source["account"] = account
        return await self._import(source, store)

    async def import_export(
        self, file: str | os.PathLike[str], passphrase: str, store: str | os.PathLike[str]
    ) -> ImportReport:
        """Makes a store of a file that ``Client.export`` wrote.

        Args:
            file: The file.
            passphrase: What it was written with.
            store: The new store. Nothing may be there, and what fails leaves nothing there.
        """
        source = {"from": "export", "file": os.fspath(file), "passphrase": passphrase}
        return await self._import(source, store)

    async def _import(self, source: dict[str, Any], store: str | os.PathLike[str]) -> ImportReport:
        request = json.dumps({**source, "store": os.fspath(store)})
        mailbox = Mailbox.of(asyncio.get_running_loop())
        ticket, future = mailbox.expect()
        try:
            self._native.import_link(mailbox.native, ticket, request)
        except BaseException:
            mailbox.forget(ticket)
            raise
        return ImportReport._decode(json.loads(await future))

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Closes all clients of the engine and ends its threads, and waits for that.

        It holds up the thread it is called on; where an event loop runs use ``aclose``. Ctrl-C
        ends the waiting, not the closing.

        Args:
            timeout: Seconds that running calls have to finish; then they are cancelled.
        """
        self._native.close(timeout)

    async def aclose(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """``close`` without holding up the event loop.

        Args:
            timeout: Seconds that running calls have to finish; then they are cancelled.
        """
        mailbox = Mailbox.of(asyncio.get_running_loop())
        ticket, future = mailbox.expect()
        try:
            self._native.close_async(mailbox.native, ticket, timeout)
        except BaseException:
            mailbox.forget(ticket)
            raise
        await future

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Engine:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


_default: Engine | None = None


def default_engine() -> Engine:
    """The engine of clients that are opened without one; made when it is first needed."""
    global _default
    if _default is None:
        _default = Engine()
    return _default


def forget_default() -> None:
    """Forgets the parent's engine in the child of a fork."""
    global _default
    _default = None

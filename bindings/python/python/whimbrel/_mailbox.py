"""Results on their way from the engine's threads to the futures of one event loop."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from . import _whimbrel

__all__ = ["Mailbox"]


class Mailbox:
    """One for each loop that has open clients or running calls."""

    _by_loop: dict[asyncio.AbstractEventLoop, Mailbox] = {}

    __slots__ = ("_clients", "_loop", "_pending", "_tickets", "native")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tickets = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._clients = 0
        self.native = _whimbrel.Mailbox(self._wake)

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Mailbox:
        """The mailbox of a loop."""
        mailbox = cls._by_loop.get(loop)
        if mailbox is None or mailbox.native.is_closed():
            for other in [other for other in cls._by_loop if other.is_closed()]:
                cls._by_loop.pop(other).native.abandon()
            mailbox = cls._by_loop[loop] = cls(loop)
        return mailbox

    @classmethod
    def forget_all(cls) -> None:
        """Forgets the parent's mailboxes in the child of a fork."""
        cls._by_loop.clear()

    def expect(self) -> tuple[int, asyncio.Future[Any]]:
        """A new ticket, and the future that its result goes to."""
        ticket = next(self._tickets)
        future = self._pending[ticket] = self._loop.create_future()
        return ticket, future

    def forget(self, ticket: int) -> None:
        """Takes back a ticket whose call did not start."""
        self._pending.pop(ticket, None)
        self._close_if_idle()

    def keep(self) -> None:
        """Keeps the mailbox for an open client."""
        self._clients += 1

    def release(self) -> None:
        """Ends a ``keep``."""
        self._clients -= 1
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if self._clients <= 0 and not self._pending:
            self.native.close()
            if self._by_loop.get(self._loop) is self:
                del self._by_loop[self._loop]

    def _wake(self) -> None:
        # Called on the thread of the mailbox; raises when the loop is closed.
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        for ticket, failed, value in self.native.drain():
            future = self._pending.pop(ticket, None)
            if future is None or future.done():
                continue
            if failed:
                future.set_exception(value)
            else:
                future.set_result(value)
        self._close_if_idle()

"""Clients for programs without an event loop: scripts, notebooks, threads.

::

    import whimbrel.sync

    with whimbrel.sync.Client("alice.db") as client:
        client.send_text(chat="15550001234", text="hello")
        for event in client.events():
            ...

The methods are those of ``whimbrel.Client``, but each holds up its thread until it is done; Ctrl-C
ends the waiting and cancels the call. Any thread may use a client, and several at the same time;
one at a time may wait for events.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Concatenate, ParamSpec

from . import _whimbrel
from ._errors import ClosedError, WrongStateError
from ._events import Event, decode
from ._opening import Opening
from ._sync_operations import SyncOperations
from ._types import MediaKind, UploadedMedia
from .client import Download, download_request, upload_request
from .engine import CLOSE_TIMEOUT, Engine, default_engine
from .errors import WhimbrelError

__all__ = ["Client"]

# Events that are taken from the engine at once.
_BATCH = 128
# How often a wait looks whether its mailbox was closed under it, seconds.
_LOOK = 0.5

_P = ParamSpec("_P")


class Client(Opening, SyncOperations):
    """One linked account, kept in one store file; the arguments are those of ``whimbrel.Client``.

    Use it with ``with``, which opens and closes it.
    """

    _native: _whimbrel.Client | None = None
    _desk: _Desk | None = None
    _closing = False

    # --- lifetime ---

    def open(self) -> None:
        """Opens the store and, unless told otherwise, begins to connect.

        ``with`` does this. A client is opened once.
        """
        if self._desk is not None:
            raise WrongStateError("the client was opened before")
        owned = None if self._endpoint is None else Engine(endpoint=self._endpoint)
        engine = owned or self._engine or default_engine()
        self._desk = desk = _Desk()
        self._taking = threading.Lock()
        self._events: deque[Event] = deque()
        self._pull: int | None = None
        self._in_hand: int | None = None
        self._finished = False
        try:
            native = engine._native
            self._native = desk.call(native.cancel, native.open, **self._options)
        except BaseException:
            self._desk = None
            desk.close()
            if owned is not None:
                owned.close()
            raise
        self._engine = engine

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Closes: running calls finish, what is owed is written, the connection ends, and the
        last event is ``Closed``. Closing again does nothing.

        Args:
            timeout: Seconds that running calls have to finish; then they are cancelled.
        """
        self._close(timeout, done=True)

    def _close(self, timeout: float, *, done: bool) -> None:
        native, desk = self._native, self._desk
        if native is None or desk is None or self._closing:
            return
        self._closing = True
        if done:
            self._acknowledge(native)
        try:
            desk.call(native.cancel, native.close, timeout)
        finally:
            if self._endpoint is not None and self._engine is not None:
                self._engine.close(timeout)

    def __enter__(self) -> Client:
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close(CLOSE_TIMEOUT, done=exc_type is None)

    def __del__(self) -> None:
        native, desk = self._native, self._desk
        if native is not None and not self._closing:
            warnings.warn(f"the client of {self.path} was not closed", ResourceWarning, source=self)
            native.close_soon()
        if desk is not None:
            desk.close()

    # --- events ---

    def events(self) -> Iterator[Event]:
        """What happens, in order: facts such as messages and receipts, each at least once, and
        moments such as QR texts in between.

        A later loop goes on where an earlier one ended. After ``Closed`` the loop ends.
        """
        while (event := self.next_event()) is not None:
            yield event

    def next_event(self, timeout: float | None = None) -> Event | None:
        """The next event; ``None`` when nothing follows any more. An event is done with when the one
        after it is asked for.

        Args:
            timeout: Seconds to wait; then it raises ``TimeoutError``. For ever if ``None``.
        """
        native, desk = self._ready()
        end = None if timeout is None else time.monotonic() + timeout
        if not self._taking.acquire(blocking=False):
            raise WrongStateError("another thread is waiting for events")
        try:
            if not self._closing:
                self._acknowledge(native)
            while not self._events and not self._finished:
                if self._pull is None:
                    self._pull = desk.begin(native.next_events, _BATCH)[0]
                try:
                    # Whatever ends the waiting, the events that come are kept for the next one.
                    texts, raw = desk.wait(self._pull, end)
                    self._pull = None
                except ClosedError:
                    self._pull, self._finished = None, True
                    break
                except WhimbrelError:
                    self._pull = None
                    raise
                events = json.loads(texts)
                self._events.extend(map(decode, events, raw))
                self._finished = not events
            if not self._events:
                return None
            event = self._events.popleft()
            if event.sequence is not None:
                self._in_hand = event.sequence
            return event
        finally:
            self._taking.release()

    def _acknowledge(self, native: _whimbrel.Client) -> None:
        if self._acknowledges and self._in_hand is not None:
            native.acknowledge(self._in_hand)
        self._in_hand = None

    def run(self) -> None:
        """Calls the handlers that were given with ``on``, for every event, until the client closes.

        Opens the client, and closes it at the end, unless it is open already. An exception of a
        handler ends it: what the handler did not finish comes again at the next start.
        """
        if self._native is None:
            with self:
                return self.run()
        for event in self.events():
            for handler in self._handlers_of(event):
                handler(event)

    # --- calls ---

    def _ready(self) -> tuple[_whimbrel.Client, _Desk]:
        if self._native is None or self._desk is None:
            raise WrongStateError("the client is not open: use it with ``with``")
        return self._native, self._desk

    def request(
        self, operation: str, request: Mapping[str, object], *, timeout: float | None = None
    ) -> Any:
        """Runs an operation by name; see ``whimbrel.Client.request``."""
        return self._request(operation, dict(request), timeout)

    def _request(self, name: str, request: dict[str, object], timeout: float | None) -> Any:
        native, desk = self._ready()
        text = json.dumps(request)
        return json.loads(desk.call(native.cancel, native.request, name, text, timeout))

    def upload(
        self,
        data: bytes | bytearray | memoryview,
        kind: MediaKind,
        *,
        mimetype: str | None = None,
        newsletter: bool = False,
        transfer: str | None = None,
        timeout: float | None = None,
    ) -> UploadedMedia:
        """Encrypts bytes and uploads them; the arguments are those of ``whimbrel.Client.upload``."""
        native, desk = self._ready()
        given = bytes(data) if isinstance(data, memoryview) else data
        request = upload_request(kind, mimetype, newsletter, transfer)
        answer = desk.call(native.cancel, native.upload, given, request, timeout)
        return UploadedMedia._decode(json.loads(answer))

    def download(
        self,
        reference: str,
        *,
        max_length: int | None = None,
        ask_phone: bool | None = None,
        transfer: str | None = None,
        timeout: float | None = None,
    ) -> Download:
        """Downloads the file of a message into memory; the arguments are those of
        ``whimbrel.Client.download``.
        """
        native, desk = self._ready()
        request = download_request(reference, max_length, ask_phone, transfer)
        data, moved = desk.call(native.cancel, native.download, request, timeout)
        return Download(data=data, moved=moved)


class _Desk:
    """Where the results of a client's calls are fetched, by whichever thread waits for one."""

    def __init__(self) -> None:
        self._tickets = itertools.count(1)
        self._changed = threading.Condition()
        self._waiting: set[int] = set()
        self._results: dict[int, tuple[bool, Any]] = {}
        self._native = _whimbrel.Mailbox(self._wake)

    def begin(
        self,
        method: Callable[Concatenate[_whimbrel.Mailbox, int, _P], int],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> tuple[int, int]:
        """Starts a native call: the ticket of its result, and its id."""
        ticket = next(self._tickets)
        self._waiting.add(ticket)
        try:
            return ticket, method(self._native, ticket, *args, **kwargs)
        except BaseException:
            self._waiting.discard(ticket)
            raise

    def wait(self, ticket: int, end: float | None = None) -> Any:
        """Waits for a result, until that time of the monotonic clock. If it fails with anything but
        the call's own error, the result can be waited for again.
        """
        with self._changed:
            while True:
                self._collect()
                if ticket in self._results:
                    break
                if self._native.is_closed():
                    raise ClosedError("the engine or client is closed")
                left = _LOOK if end is None else min(_LOOK, end - time.monotonic())
                if left <= 0:
                    raise TimeoutError("no event came in time")
                self._changed.wait(left)
            failed, value = self._results.pop(ticket)
            self._waiting.discard(ticket)
        if failed:
            raise value
        return value

    def call(
        self,
        cancel: Callable[[int], None],
        method: Callable[Concatenate[_whimbrel.Mailbox, int, _P], int],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> Any:
        """Starts a native call and waits for it; what ends the waiting cancels it."""
        ticket, call = self.begin(method, *args, **kwargs)
        try:
            return self.wait(ticket)
        except (KeyboardInterrupt, SystemExit):
            cancel(call)
            raise
        finally:
            self._waiting.discard(ticket)

    def close(self) -> None:
        """Ends the thread behind it."""
        self._native.close()

    def _wake(self) -> None:
        # On the thread of the mailbox: whoever waits fetches the results.
        with self._changed:
            self._changed.notify_all()

    def _collect(self) -> None:
        letters = self._native.drain()
        for ticket, failed, value in letters:
            if ticket in self._waiting:
                self._results[ticket] = (failed, value)
        if letters:
            # More than one may wait, and each only looks at its own.
            self._changed.notify_all()

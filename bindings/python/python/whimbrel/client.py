"""Clients: one linked account each."""

from __future__ import annotations

import asyncio
import inspect
import json
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, ParamSpec

from . import _whimbrel
from ._errors import ClosedError, WrongStateError
from ._events import Event, decode
from ._mailbox import Mailbox
from ._opening import Opening
from ._operations import Operations
from ._types import (
    Address,
    Identity,
    MediaKind,
    QuotedMessage,
    SendWait,
    SentMessage,
    UploadedMedia,
)
from .engine import CLOSE_TIMEOUT, Engine, default_engine

__all__ = ["Client", "Download"]

# Events that are taken from the engine at once.
_BATCH = 128

_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Download:
    """A file of a message, in memory."""

    data: bytes = field(repr=False)
    """Its bytes."""
    moved: str | None = None
    """The phone uploaded it again: keep this in place of the reference that was given."""


class Client(Opening, Operations):
    """One linked account, kept in one store file.

    Use it with ``async with``, which opens and closes it::

        async with whimbrel.Client("alice.db") as client:
            async for event in client.events():
                match event:
                    case whimbrel.Message(chat=chat, text="ping"):
                        await client.send_text(chat=chat, text="pong")

    or give it handlers with ``on`` and let ``run`` do the rest. Programs without an event loop use
    ``whimbrel.sync.Client``.

    A client belongs to the event loop that opened it. Any number of calls may run at a time.
    A call whose task is cancelled is cancelled; ``asyncio.timeout`` works as ever.

    Args:
        path: The store file; made if there is none. ``:memory:`` is a store that ends with the
            client.
        engine: The engine to run on; the shared default one if ``None``.
        endpoint: Where the service is: gives the client an engine of its own there.
        auto_start: Connect when opened: log in when linked, else begin to link by QR, whose
            codes come as ``Qr`` events. Yes if ``None``.
        manual_acknowledge: The host calls ``acknowledge`` for events that it is done with.
            Otherwise an event is done with when the loop asks for the one after it, or leaves
            ``async with`` without an exception. What is not done with comes again at the next
            start.
        request_timeout: Seconds that calls without a ``timeout`` have; 60 if ``None``.
        device_name: Name under which the phone lists this device; ``whimbrel`` if ``None``.
        journal_limit: Events that may wait unacknowledged before the client stops reading from
            the service; 100,000 if ``None``.
        journal_limit_bytes: The same in bytes; 256 MiB if ``None``.
        sync_to_disk: Commits wait for the disk and survive power loss; yes if ``None``.
        proxy: Proxy for all connections of this client, as ``http://host:port`` or
            ``socks5://host:port``, with ``user:password@`` before the host if it wants that.
            None if ``None``.
        archive: Keep chats, messages and people, so that they can be looked up; yes if ``None``.
        archive_days: How many days messages are kept in the archive; for ever if ``None``.
        full_history: Ask the phone for all of its history when linking, not only for the last
            weeks; no if ``None``.
        history_days: How many days of history to ask the phone for when linking; the phone
            decides if ``None``.
        temporary_folder: Folder, which exists, where encrypted files lie while they are uploaded;
            the system's folder for temporary files if ``None``. Choose one on a disk if that is in
            memory.
    """

    _native: _whimbrel.Client | None = None
    _closing = False
    _loop: asyncio.AbstractEventLoop | None = None
    _mailbox: Mailbox | None = None

    # --- lifetime ---

    async def open(self) -> None:
        """Opens the store and, unless told otherwise, begins to connect.

        ``async with`` does this. A client is opened once.
        """
        if self._loop is not None:
            raise WrongStateError("the client was opened before")
        self._loop = asyncio.get_running_loop()
        self._inbox = _Inbox()
        try:
            owned = None if self._endpoint is None else Engine(endpoint=self._endpoint)
            engine = owned or self._engine or default_engine()
            mailbox = Mailbox.of(self._loop)
            mailbox.keep()
            try:
                opening = engine._native
                native: _whimbrel.Client = await _start(
                    mailbox, opening.cancel, opening.open, **self._options
                )
            except BaseException:
                mailbox.release()
                if owned is not None:
                    await owned.aclose()
                raise
        except BaseException:
            self._loop = None
            raise
        self._engine = engine
        self._native, self._mailbox = native, mailbox

    async def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Closes: running calls finish, what is owed is written, the connection ends, and the
        last event is ``Closed``. Closing again does nothing.

        Args:
            timeout: Seconds that running calls have to finish; then they are cancelled.
        """
        await self._close(timeout, done=True)

    async def _close(self, timeout: float, *, done: bool) -> None:
        native, mailbox = self._native, self._mailbox
        if native is None or mailbox is None or self._closing:
            return
        self._check_loop()
        self._closing = True
        if done and self._acknowledges:
            self._inbox.acknowledge(native)
        try:
            await self._start(native.close, timeout)
        finally:
            mailbox.release()
            if self._endpoint is not None and self._engine is not None:
                await self._engine.aclose(timeout)

    async def __aenter__(self) -> Client:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close(CLOSE_TIMEOUT, done=exc_type is None)

    def __del__(self) -> None:
        native = self._native
        if native is not None and not self._closing:
            warnings.warn(f"the client of {self.path} was not closed", ResourceWarning, source=self)
            native.close_soon()

    # --- events ---

    def events(self) -> AsyncIterator[Event]:
        """What happens, in order: facts such as messages and receipts, each at least once, and
        moments such as QR texts in between.

        A later loop goes on where an earlier one ended. One task at a time may wait for events.
        After ``Closed`` the loop ends.
        """
        return _Events(self)

    async def run(self) -> None:
        """Calls the handlers that were given with ``on``, for every event, until the client closes.

        Opens the client, and closes it at the end, unless it is open already. An exception of a
        handler goes to the event loop's exception handler, which logs it unless the program has set
        another one, and the next event is taken.
        """
        if self._native is None:
            async with self:
                return await self.run()
        async for event in self.events():
            for handler in self._handlers_of(event):
                try:
                    result = handler(event)
                    if inspect.isawaitable(result):
                        await result
                except Exception as error:
                    asyncio.get_running_loop().call_exception_handler(
                        {
                            "message": f"a handler of {event.kind} events failed",
                            "exception": error,
                            "handler": handler,
                        }
                    )

    async def _next_event(self) -> Event | None:
        native = self._ready()
        if self._inbox.waiter is not None:
            raise WrongStateError("another task is waiting for events")
        if self._acknowledges and not self._closing:
            self._inbox.acknowledge(native)
        while True:
            event = self._inbox.take()
            if event is not None or self._inbox.finished:
                return event
            self._inbox.raise_failure()
            if not self._inbox.pulling:
                pull = self._start(native.next_events, _BATCH)
                self._inbox.pulling = True
                pull.add_done_callback(self._inbox.arrived)
            self._inbox.waiter = asyncio.get_running_loop().create_future()
            try:
                await self._inbox.waiter
            finally:
                self._inbox.waiter = None

    # --- calls ---

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise WrongStateError("the client belongs to another event loop")

    def _ready(self) -> _whimbrel.Client:
        if self._native is None:
            raise WrongStateError("the client is not open: use it with ``async with``")
        self._check_loop()
        return self._native

    def _start(
        self,
        method: Callable[Concatenate[_whimbrel.Mailbox, int, _P], int],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> asyncio.Future[Any]:
        """Starts a native call and returns the future of its result."""
        native = self._ready()
        mailbox = Mailbox.of(asyncio.get_running_loop())
        return _start(mailbox, native.cancel, method, *args, **kwargs)

    async def request(
        self, operation: str, request: Mapping[str, object], *, timeout: float | None = None
    ) -> Any:
        """Runs an operation by name, with its request and answer as JSON has them; the other methods
        are this one with types. For programs that are driven by the table of operations.

        Args:
            operation: Name of the operation, such as ``send_text``.
            request: Its members, in camelCase.
            timeout: Seconds until the call fails with ``TimedOutError``; the client's
                ``request_timeout`` if ``None``.
        """
        return await self._request(operation, dict(request), timeout)

    async def _request(self, name: str, request: dict[str, object], timeout: float | None) -> Any:
        native = self._ready()
        return json.loads(await self._start(native.request, name, json.dumps(request), timeout))

    # Called for every message: without JSON.

    async def send_text(
        self,
        *,
        chat: Address,
        text: str,
        audience: list[str] | None = None,
        message_id: str | None = None,
        quote: QuotedMessage | None = None,
        quoted_chat: str | None = None,
        wait: SendWait | None = None,
        timeout: float | None = None,
    ) -> SentMessage:
        if audience is not None or quoted_chat is not None:
            # Rare, and so not worth a form of its own.
            return await super().send_text(
                chat=chat,
                text=text,
                audience=audience,
                message_id=message_id,
                quote=quote,
                quoted_chat=quoted_chat,
                wait=wait,
                timeout=timeout,
            )
        native = self._ready()
        quoted = None
        if quote is not None:
            quoted = (quote.message_id, None if quote.sender is None else str(quote.sender))
        until = None if wait is None else SendWait(wait).value
        call = self._start(native.send_text, str(chat), text, quoted, message_id, until, timeout)
        message_id, (id, phone, lid), timestamp, server_id = await call
        return SentMessage(
            message_id=message_id,
            chat=Identity(id=id, phone=phone, lid=lid),
            timestamp=timestamp,
            server_id=server_id,
        )

    async def mark_read(
        self,
        *,
        chat: Address,
        message_ids: list[str],
        sender: Address | None = None,
        timeout: float | None = None,
    ) -> None:
        native = self._ready()
        author = None if sender is None else str(sender)
        await self._start(native.mark_read, str(chat), author, message_ids, timeout)

    # Bytes do not travel in JSON.

    async def upload(
        self,
        data: bytes | bytearray | memoryview,
        kind: MediaKind,
        *,
        mimetype: str | None = None,
        newsletter: bool = False,
        transfer: str | None = None,
        timeout: float | None = None,
    ) -> UploadedMedia:
        """Encrypts bytes and uploads them, as ``upload_media`` does with a file::

            picture = await client.upload(jpeg, whimbrel.MediaKind.IMAGE)
            keep(picture.reference)

        Args:
            data: The bytes; they are copied before this waits.
            kind: What they are to their message.
            mimetype: What they are, such as ``image/jpeg``; what the first of them say if ``None``.
            newsletter: For a channel: they are not encrypted, as everybody may read them.
            transfer: A name for this transfer: ``MediaProgress`` events with it tell how far it is.
            timeout: Seconds until the call fails with ``TimedOutError``; as long as there is
                progress if ``None``.
        """
        native = self._ready()
        given = bytes(data) if isinstance(data, memoryview) else data
        request = upload_request(kind, mimetype, newsletter, transfer)
        answer = await self._start(native.upload, given, request, timeout)
        return UploadedMedia._decode(json.loads(answer))

    async def download(
        self,
        reference: str,
        *,
        max_length: int | None = None,
        ask_phone: bool | None = None,
        transfer: str | None = None,
        timeout: float | None = None,
    ) -> Download:
        """Downloads the file of a message into memory, decrypts it, and checks that it is the one
        that was sent, as ``download_media`` does into a file::

            picture = await client.download(reference)
            show(picture.data)

        Args:
            reference: What says where the file is, from a message or an upload.
            max_length: Longest file to take, in bytes; 2 GiB if ``None``.
            ask_phone: Whether the phone may be asked to upload the file again when it is gone from
                the service; yes if ``None``.
            transfer: A name for this transfer: ``MediaProgress`` events with it tell how far it is.
            timeout: Seconds until the call fails with ``TimedOutError``; as long as there is
                progress if ``None``.
        """
        native = self._ready()
        request = download_request(reference, max_length, ask_phone, transfer)
        data, moved = await self._start(native.download, request, timeout)
        return Download(data=data, moved=moved)

    send_text.__doc__ = Operations.send_text.__doc__
    mark_read.__doc__ = Operations.mark_read.__doc__


def upload_request(
    kind: MediaKind, mimetype: str | None, newsletter: bool, transfer: str | None
) -> str:
    """What surrounds the bytes of an upload, in JSON."""
    request: dict[str, object] = {"kind": MediaKind(kind).value, "newsletter": newsletter}
    if mimetype is not None:
        request["mimetype"] = mimetype
    if transfer is not None:
        request["transfer"] = transfer
    return json.dumps(request)


def download_request(
    reference: str, max_length: int | None, ask_phone: bool | None, transfer: str | None
) -> str:
    """The request of a download into memory, in JSON."""
    request: dict[str, object] = {"reference": reference}
    if max_length is not None:
        request["maxLength"] = max_length
    if ask_phone is not None:
        request["askPhone"] = ask_phone
    if transfer is not None:
        request["transfer"] = transfer
    return json.dumps(request)


def _start(
    mailbox: Mailbox,
    cancel: Callable[[int], None],
    method: Callable[Concatenate[_whimbrel.Mailbox, int, _P], int],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> asyncio.Future[Any]:
    ticket, future = mailbox.expect()
    try:
        call = method(mailbox.native, ticket, *args, **kwargs)
    except BaseException:
        mailbox.forget(ticket)
        raise
    future.add_done_callback(partial(_cancel, cancel, call))
    return future


def _cancel(cancel: Callable[[int], None], call: int, future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        cancel(call)


class _Inbox:
    """Events between the engine and the loop that takes them."""

    __slots__ = ("_events", "_failure", "_in_hand", "finished", "pulling", "waiter")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._in_hand: int | None = None
        self._failure: BaseException | None = None
        self.pulling = False
        self.finished = False
        self.waiter: asyncio.Future[None] | None = None

    def take(self) -> Event | None:
        """The next event that is here."""
        if not self._events:
            return None
        event = self._events.popleft()
        if event.sequence is not None:
            self._in_hand = event.sequence
        return event

    def acknowledge(self, native: _whimbrel.Client) -> None:
        """Says that what was taken is done with."""
        if self._in_hand is not None:
            native.acknowledge(self._in_hand)
            self._in_hand = None

    def raise_failure(self) -> None:
        """Raises what the last pull failed with."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def arrived(self, pull: asyncio.Future[Any]) -> None:
        """Takes in the result of a pull. Whoever waited for it may be gone: nothing is lost."""
        self.pulling = False
        if pull.cancelled():
            return
        failure = pull.exception()
        if isinstance(failure, ClosedError):
            self.finished = True
        elif failure is not None:
            self._failure = failure
        else:
            texts, raw = pull.result()
            events = json.loads(texts)
            self._events.extend(map(decode, events, raw))
            self.finished = not events
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)


class _Events:
    """What ``Client.events`` returns."""

    __slots__ = ("_client",)

    def __init__(self, client: Client) -> None:
        self._client = client

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Event:
        event = await self._client._next_event()
        if event is None:
            raise StopAsyncIteration
        return event

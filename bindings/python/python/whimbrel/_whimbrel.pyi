"""The native half of the package. Private: it changes without notice."""

import os
from collections.abc import Callable
from typing import Any, final

__all__ = ["Client", "Engine", "Mailbox", "forked", "draw_qr", "shutdown"]

@final
class Mailbox:
    def __new__(cls, wake: Callable[[], object]) -> Mailbox: ...
    def drain(self) -> list[tuple[int, bool, Any]]: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...
    def is_closed(self) -> bool: ...

@final
class Engine:
    def __new__(
        cls,
        *,
        worker_threads: int | None = None,
        url: str | None = None,
        noise_root: tuple[bytes, int] | None = None,
        extra_ca_pem: str | None = None,
        client_version: tuple[int, int, int] | None = None,
        keep_alive: float | None = None,
        insecure_seed: int | None = None,
        version_url: str | None = None,
        find_version: bool | None = None,
        connect_limit: int | None = None,
    ) -> Engine: ...
    def open(
        self,
        mailbox: Mailbox,
        ticket: int,
        path: str | os.PathLike[str],
        *,
        auto_start: bool | None = None,
        request_timeout: float | None = None,
        device_name: str | None = None,
        journal_limit: int | None = None,
        journal_limit_bytes: int | None = None,
        sync_to_disk: bool | None = None,
        proxy: str | None = None,
        archive: bool | None = None,
        archive_days: int | None = None,
        full_history: bool | None = None,
        history_days: int | None = None,
        temporary_folder: str | os.PathLike[str] | None = None,
    ) -> int: ...
    def import_link(self, mailbox: Mailbox, ticket: int, request: str) -> int: ...
    def cancel(self, call: int) -> None: ...
    def close(self, timeout: float) -> None: ...
    def close_async(self, mailbox: Mailbox, ticket: int, timeout: float) -> None: ...

@final
class Client:
    def request(
        self, mailbox: Mailbox, ticket: int, name: str, request: str, timeout: float | None
    ) -> int: ...
    def send_text(
        self,
        mailbox: Mailbox,
        ticket: int,
        chat: str,
        text: str,
        quote: tuple[str, str | None] | None,
        message_id: str | None,
        wait: str | None,
        timeout: float | None,
    ) -> int: ...
    def mark_read(
        self,
        mailbox: Mailbox,
        ticket: int,
        chat: str,
        sender: str | None,
        message_ids: list[str],
        timeout: float | None,
    ) -> int: ...
    def upload(
        self,
        mailbox: Mailbox,
        ticket: int,
        bytes: bytes | bytearray,
        request: str,
        timeout: float | None,
    ) -> int: ...
    def download(self, mailbox: Mailbox, ticket: int, request: str, timeout: float | None) -> int: ...
    def next_events(self, mailbox: Mailbox, ticket: int, most: int) -> int: ...
    def acknowledge(self, sequence: int) -> None: ...
    def cancel(self, call: int) -> None: ...
    def close(self, mailbox: Mailbox, ticket: int, timeout: float) -> int: ...
    def close_soon(self) -> None: ...

def forked() -> None: ...
def shutdown() -> None: ...
def draw_qr(text: str) -> str: ...

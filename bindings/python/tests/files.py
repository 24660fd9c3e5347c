"""Small files of every family, put together by hand."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path


def png(width: int = 40, height: int = 30) -> bytes:
    """A white picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xff" * width) * height)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def film(width: int = 640, height: int = 360, milliseconds: int = 2500) -> bytes:
    """The index of an MP4, and a little content."""

    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + name + content

    matrix = (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    tkhd = bytes(40) + struct.pack(">9I", *matrix) + struct.pack(">II", width << 16, height << 16)
    mdhd = bytes(12) + struct.pack(">II", 1000, milliseconds) + bytes(4)
    mdia = box(b"mdhd", mdhd) + box(b"hdlr", bytes(8) + b"vide" + bytes(13))
    mvhd = bytes(12) + struct.pack(">II", 1000, milliseconds) + bytes(80)
    moov = box(b"mvhd", mvhd) + box(b"trak", box(b"tkhd", tkhd) + box(b"mdia", mdia))
    return box(b"ftyp", b"isom" + bytes(4) + b"isom") + box(b"moov", moov) + box(b"mdat", b"\x07" * 99)


def voice(seconds: int = 2) -> bytes:
    """Opus in Ogg, mono."""

    def page(granule: int, packet: bytes) -> bytes:
        lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        head = b"OggS\0\0" + struct.pack("<qI", granule, 5) + bytes(8) + bytes([len(lacing)])
        return head + lacing + packet

    skipped = 312
    head = b"OpusHead\x01\x01" + struct.pack("<HI", skipped, 48_000) + bytes(3)
    sound = [page(960, b"\x08" * 600), page(seconds * 48_000 + skipped, b"\x08" * 9)]
    return page(0, head) + page(0, b"OpusTags") + b"".join(sound)


def sticker(width: int = 512, height: int = 300) -> bytes:
    """A lossless WebP, up to its picture."""
    bits = (width - 1) | (height - 1) << 14 | 1 << 28
    picture = b"\x2f" + struct.pack("<I", bits) + b"\1\2\3"
    chunk = b"VP8L" + struct.pack("<I", len(picture)) + picture
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def pack() -> bytes:
    """A zip with one sticker."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.webp", sticker())
    return file.getvalue()


@dataclass(frozen=True)
class Files:
    """One file of each family, on disk."""

    picture: Path
    film: Path
    voice: Path
    document: Path
    sticker: Path
    pack: Path

    @classmethod
    def write(cls, folder: Path) -> Files:
        def place(name: str, content: bytes) -> Path:
            path = folder / name
            path.write_bytes(content)
            return path

        return cls(
            picture=place("picture.png", png()),
            film=place("film.mp4", film()),
            voice=place("voice.ogg", voice()),
            document=place("notes.txt", b"feed the birds"),
            sticker=place("sticker.webp", sticker()),
            pack=place("pack.zip", pack()),
        )

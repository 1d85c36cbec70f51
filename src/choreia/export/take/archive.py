"""The zip around a take: the same bytes for the same members, and no byte unpacked before its size is known to fit."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from choreia.files import LARGEST

LARGEST_DIRECTORY = 1 << 16
"""Bytes of the longest list of members that is read; a take has a handful."""

_END = struct.Struct("<4s4H2LH")


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of the members, sorted by name, stored as they are, at the time that a zip begins with, 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, members[name])
    return buffer.getvalue()


@dataclass(frozen=True)
class Archive:
    """An open zip whose list of members has been checked; `names` without folders."""

    zip: zipfile.ZipFile
    names: frozenset[str]

    @classmethod
    def of(cls, content: bytes) -> Archive:
        """Open a zip in memory.

        Raises:
            ValueError: cut short, a list of members that is too long, members of one name, compressed in other ways than deflate, or
                larger than 1 GiB together.
        """
        _check_end(content)
        opened = zipfile.ZipFile(io.BytesIO(content))
        members = [member for member in opened.infolist() if not member.is_dir()]
        names = frozenset(member.filename for member in members)
        if len(names) < len(members):
            raise ValueError("two of its members have the same name")
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ValueError("a member is compressed in a way that takes are not")
        if sum(member.file_size for member in members) > LARGEST:
            raise ValueError("it unpacks to more than 1 GiB")
        return cls(opened, names)

    def read(self, name: str, most: int = LARGEST) -> bytes:
        """A member, its checksum verified, or its first `most` bytes; never more than its declared size is unpacked."""
        if name not in self.names:
            raise ValueError(f"{name[:60]!r} is missing")
        member = self.zip.getinfo(name)
        size = min(member.file_size, most)
        with self.zip.open(member) as stream:
            content = stream.read(size)
        if len(content) < size:
            raise ValueError(f"{name[:60]!r} is cut short")
        return content


def _check_end(content: bytes) -> None:
    """Refuse a zip that does not end where it should or that lists more members than a take has, before the list is read."""
    end = content[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise ValueError("it is cut short")
    if content[-_END.size - 20 :].startswith(b"PK\x06\x07") or _END.unpack(end)[5] > LARGEST_DIRECTORY:
        raise ValueError("it lists more members than a take has")

"""STUB until the core is in main."""

from dataclasses import dataclass

from slipway.errors import UsageError


@dataclass(frozen=True)
class Case:
    data: bytes

    def to_bytes(self) -> bytes:
        return self.data

    @classmethod
    def from_bytes(cls, data: bytes) -> "Case":
        if not data.startswith(b"PK"):
            raise UsageError("this is no case: it is no zip file")
        return cls(data)

"""A plan that was compared with its model, kept for the next start: the service answers from it while the model loads.

It holds no code (`slipway.plans.stored`), and is used where all that it was made of is the same still, not a byte of it has
changed, and nobody but this user can have written it. What native code then believes is no more than the native code beside it.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from slipway.files import whole_file
from slipway.serving.contract import Signature
from slipway.serving.ipc.messages import ModelLoaded
from slipway.serving.ipc.plan_transfer import PackedPlan

_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True)
class PlanCache:
    """The place of one version's plan. made_of: the digest of what has to be the same: model, trusted types, versions."""

    path: Path
    made_of: str

    def keep(self, loaded: ModelLoaded) -> None:
        """Keep what a back found; without a plan, what was kept is removed. A disk that is full keeps nobody from serving."""
        with suppress(OSError):
            if loaded.plan is None:
                self.path.unlink(missing_ok=True)
                return
            content = msgspec.json.encode(loaded.signature) + b"\n" + loaded.plan.content
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path, private=True) as draft:
                draft.write_bytes(self._head(content) + content)

    def find(self) -> tuple[ModelLoaded | None, str]:
        """Return what was kept, or None and why it is not used, "" where nothing was."""
        try:
            with self.path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                    return None, "others may have written it"
                found = bytearray(stream.read())
        except OSError:
            return None, ""
        head, _, content = found.partition(b"\n")
        if not head.startswith(self.made_of.encode()):
            return None, "it was made of something else, or by other versions"
        if head + b"\n" != self._head(content):
            return None, "its bytes changed"
        signature, _, plan = content.partition(b"\n")
        return ModelLoaded(msgspec.json.decode(signature, type=Signature), PackedPlan(plan), ""), ""

    def _head(self, content: bytes | bytearray) -> bytes:
        return f"{self.made_of} {hashlib.sha256(content).hexdigest()}\n".encode()

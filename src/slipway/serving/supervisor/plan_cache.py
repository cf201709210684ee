"""The plan cache: plans that were compared with their models, kept so that the next start answers while the model loads.

A cached plan holds no code (`slipway.plans.stored`). It is used only where everything that it was made of is still the same,
where none of its bytes changed, and where no other user can have written it. Native code trusts the numbers of a plan: whoever
could write the plan could as well replace the native code.
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
_MADE_OTHERWISE = "it was made of something else, or by other versions"


@dataclass(frozen=True)
class PlanCache:
    """The place of one version's plan.

    Attributes:
        path: The file.
        made_of: Digest of all that has to be the same: the model, the trusted types, the versions of the packages.
    """

    path: Path
    made_of: str

    def keep(self, loaded: ModelLoaded) -> None:
        """Keep the plan of a loaded model, or remove the kept one where it has none. Nothing is kept where the disk is full."""
        with suppress(OSError):
            if loaded.plan is None:
                self.path.unlink(missing_ok=True)
                return
            content = msgspec.json.encode(loaded.signature) + b"\n" + loaded.plan.content
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path, private=True) as draft:
                draft.write_bytes(self._head(content) + content)

    def find(self) -> tuple[ModelLoaded | None, str]:
        """Return the cached ModelLoaded and "", or None and why it cannot be used: "" where nothing was cached."""
        try:
            with self.path.open("rb") as stream:
                status = os.fstat(stream.fileno())
                if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                    return None, "others may have written it"
                stored = bytearray(stream.read())
        except OSError:
            return None, ""
        head, _, content = stored.partition(b"\n")
        if not head.startswith(self.made_of.encode()):
            return None, _MADE_OTHERWISE
        if head + b"\n" != self._head(content):
            return None, "its bytes changed"
        encoded, _, plan = content.partition(b"\n")
        try:
            signature = msgspec.json.decode(encoded, type=Signature)
        except msgspec.MsgspecError:  # of a Slipway whose compiler is the same and whose signatures are not
            return None, _MADE_OTHERWISE
        return ModelLoaded(signature, PackedPlan(plan), ""), ""

    def _head(self, content: bytes | bytearray) -> bytes:
        return f"{self.made_of} {hashlib.sha256(content).hexdigest()}\n".encode()

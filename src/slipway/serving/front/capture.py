"""The capture client: a front puts answered requests and labels into the ring, and never waits for room there."""

import time
import zlib

from slipway.serving.config import SILENT_S, CaptureFeed
from slipway.serving.contract import Generation
from slipway.serving.http.messages import Request, Response
from slipway.sharedmem import ANSWERED, LABELS, AnsweringVersion, Ring, packed

MOST_BYTES = 1_000_000
"""The bytes of a request and its answer together; larger ones are not captured."""

_MOST_VERSIONS = 100


class CaptureClient:
    """Puts the records of one front into the ring. row: the row of the front in the counters."""

    def __init__(self, feed: CaptureFeed, row: int):
        self.ring: Ring = feed.ring
        self.share, self._row = feed.share, row
        # A hash of the request id decides, so that the requests of one id to several models are kept together or not at all.
        self._below = round(feed.share * 2**32)
        self._put = self.ring.producer(row).put
        self._abouts: dict[tuple[str, int, str], bytes] = {}

    def answered(self, model: str, request: Request, request_id: bytes, answer: Response) -> None:
        """Put a request into the ring that was answered with 200, if the request is in the share that is captured.

        Args:
            model: The model that was asked.
            request: The request.
            request_id: The id that the answer carries.
            answer: The answer.
        """
        if zlib.crc32(request_id) >= self._below:
            return
        if answer.by is None:
            return
        about = self._about(answer.by)
        kind = request.headers.get(b"content-type", b"")
        if len(request.body) + len(answer.body) + len(about) + len(kind) > MOST_BYTES:
            self.ring.count(self._row, model, "large")
            return
        record = packed(ANSWERED, time.time(), about, request_id, kind, request.body, answer.body)
        # A record that is put while the disk is full would only take the place of labels.
        if self.ring.failing or not self._put(record):
            self.ring.count(self._row, model, "disk" if self.ring.failing else "full")

    def _about(self, generation: Generation) -> bytes:
        """Return the encoded AnsweringVersion of a generation; each version is encoded once."""
        key = generation.model, generation.version, generation.stage
        about = self._abouts.get(key)
        if about is None:
            if len(self._abouts) >= _MOST_VERSIONS:
                self._abouts.clear()
            about = self._abouts[key] = _about(generation).encoded()
        return about

    def labelled(self, generation: Generation, labels: bytes, count: int) -> bool:
        """Put labels into the ring; return False where they cannot be taken now.

        Args:
            generation: The generation that is served while the labels come.
            labels: A JSON list of [request id, row, label].
            count: The number of labels.
        """
        record = packed(LABELS, time.time(), _about(generation).encoded(), b"", b"", labels)
        if self.ring.failing or not self._put(record):
            return False
        self.ring.count(self._row, generation.model, "labels", count)
        return True

    @property
    def trouble(self) -> str:
        """The reason why the capture writer does not write; "" while it writes."""
        if self.ring.failing:
            return "no segment can be written; the log says why"
        return "the process that writes does not answer" if self.ring.silent_s > SILENT_S else ""


def _about(generation: Generation) -> AnsweringVersion:
    signature = generation.signature
    inputs = tuple((column.name, column.type) for column in signature.inputs)
    return AnsweringVersion(
        generation.model, generation.version, generation.stage, inputs, signature.output, signature.classes
    )

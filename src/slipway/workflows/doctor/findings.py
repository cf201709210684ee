"""Findings of the doctor, and the examination that gathers them: no check hangs, raises or changes anything."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from typing import Any

from slipway.errors import SlipwayError

_LONGEST = 300


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


_SIGNS = {Level.OK: "✓", Level.WARNING: "!", Level.FAULT: "✗"}


@dataclass(frozen=True)
class Examined:
    """One thing that the doctor looked at.

    Attributes:
        subject: the thing, or the question.
        level: whether it is well.
        found: what was found, in one line.
        todo: what to do next; empty where nothing is to be done.
    """

    subject: str
    level: Level
    found: str
    todo: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"subject": self.subject, "level": self.level.value, "found": self.found, "to_do": self.todo or None}

    def __str__(self) -> str:
        todo = f"\n      → {self.todo}" if self.todo else ""
        return f"  {_SIGNS[self.level]} {self.subject}: {self.found}{todo}"


def fine(subject: str, found: str) -> Examined:
    """Return a finding of something that is well."""
    return Examined(subject, Level.OK, found)


def doubt(subject: str, found: str, todo: str) -> Examined:
    """Return a finding that keeps nobody from working."""
    return Examined(subject, Level.WARNING, found, todo)


def fault(subject: str, found: str, todo: str) -> Examined:
    """Return a finding that has to be mended."""
    return Examined(subject, Level.FAULT, found, todo)


@dataclass(frozen=True)
class Diagnosis:
    """The findings of an examination, in its order, with a sentence that sums them up."""

    title: str
    findings: tuple[Examined, ...]
    summary: str = ""

    @property
    def passed(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> int:
        return sum(each.level is Level.FAULT for each in self.findings)

    def as_dict(self) -> dict[str, Any]:
        found = [each.as_dict() for each in self.findings]
        return {"passed": self.passed, "summary": self._summed_up, "findings": found}

    def __str__(self) -> str:
        return "\n".join([self.title, *map(str, self.findings), self._summed_up])

    @property
    def _summed_up(self) -> str:
        doubts = sum(each.level is Level.WARNING for each in self.findings)
        counted = f"{self.faults} fault(s), {doubts} warning(s)" if self.faults or doubts else "all is well"
        return f"{self.summary}; {counted}" if self.summary else counted


Check = Callable[[], Examined | Sequence[Examined]]


def examine(checks: Iterable[tuple[str, Check]], timeout_s: float) -> tuple[Examined, ...]:
    """Run checks beside each other, and return their findings in the order of the checks.

    A check that takes longer than `timeout_s` seconds, or raises, is a finding itself. Its thread is not waited for.

    Args:
        checks: each with its subject, which is named where it fails.
        timeout_s: how long each may take, counted from the start of all.
    """
    asked = [(subject, _begun(check)) for subject, check in checks]
    deadline = time.monotonic() + timeout_s
    found: list[Examined] = []
    for subject, answer in asked:
        try:
            result = answer.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            found.append(fault(subject, f"no answer within {timeout_s:g} s", "see whether a disk or a server hangs"))
        except Exception as error:  # a broken installation may raise anything  # noqa: BLE001
            found.append(fault(subject, one_line(error), "mend this first; `--debug` shows no more"))
        else:
            found += [result] if isinstance(result, Examined) else result
    return tuple(found)


def _begun(check: Check) -> Future[Examined | Sequence[Examined]]:
    """Begin a check in a daemon thread: Python waits at its end for the threads of a pool, however long they hang."""
    answer: Future[Examined | Sequence[Examined]] = Future()

    def run() -> None:
        try:
            answer.set_result(check())
        except Exception as error:  # a broken installation may raise anything  # noqa: BLE001
            answer.set_exception(error)

    Thread(target=run, name="doctor", daemon=True).start()
    return answer


def one_line(error: BaseException) -> str:
    """Return an error in one line: its own words where it is Slipway's."""
    text = " ".join(str(error).split())[:_LONGEST] or "no message"
    return text if isinstance(error, SlipwayError) else f"{type(error).__name__}: {text}"

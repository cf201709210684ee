"""The errors that Slipway raises on purpose.

SlipwayError
├── Refusal                  a gate or a check said no                       exit code 1
│   ├── ContractBroken           the data is not what the experiment declares
│   ├── DataLeaks                the data gives the target away
│   ├── DataUnusable             the data cannot be learned from
│   ├── SearchFailed             no trial ended with a usable model
│   ├── PromotionRefused         a gate did not pass
│   └── UntrustedModel           a model holds types or bytes that are not trusted
├── UsageError               the call or the configuration is wrong          exit code 2
│   ├── SpecInvalid              experiment.yaml does not say something valid
│   ├── UnknownName              no such experiment, version, stage, ...
│   │   └── UnknownVersion       a registered model has no version of that number
│   ├── CallerUnknown            a server with users does not know who asks
│   ├── CodeInvalid              a function of the experiment's folder cannot be used
│   └── LibraryMissing           a library that a stored model needs is not installed
└── OutsideError             something outside of Slipway failed             exit code 3
    ├── NoServer                 no tracking server is known or answers
    ├── NotCompilable            a model has a step that cannot be compiled
    ├── ServiceFailed            a process that was started did not come up
    ├── StoreUnusable            a database or a bucket cannot be used
    └── FileUnusable             a file cannot be read or written

Constructors take facts and make the sentence: what was found, what is allowed, what to do next.
Exit codes belong to `slipway.cli`.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipway.types import Problem, Verdict, Violation


_WIDTH = 130  # of a line of a refusal
_USER_IN_URL = re.compile(r"(?<=://)[^/\s]+@")


class SlipwayError(Exception):
    """The base of every error that Slipway raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows in place of a traceback: the message says what to do next."""
        return [f"{type(self).__name__}: {self}"]


class Refusal(SlipwayError):
    """A gate or a check said no."""


class UsageError(SlipwayError):
    """The call or the configuration is wrong."""


class OutsideError(SlipwayError):
    """Something outside of Slipway failed: a server, a disk, a port."""


class ContractBroken(Refusal):
    """The data is not what the experiment's contract declares."""

    def __init__(self, experiment: str, violations: "Sequence[Violation]"):
        self.violations = tuple(violations)
        lines = "\n".join(f"  {violation}" for violation in self.violations)
        super().__init__(
            f"the data of '{experiment}' breaks its contract in {len(self.violations)} place(s); nothing was trained:\n"
            f"{lines}\n"
            "Mend the source, or say in `data.columns` / `data.sla` of experiment.yaml what is really promised."
        )


class DataLeaks(Refusal):
    """Something in the data gives the target away; a model trained on it would fail in use."""

    def __init__(self, experiment: str, leaks: "Sequence[object]"):
        self.leaks = tuple(leaks)
        lines = "\n".join(f"  {leak}" for leak in self.leaks)
        super().__init__(
            f"the data of '{experiment}' gives its target away; nothing was trained:\n{lines}\n"
            "Is it known when the prediction is made? If not, take the column out (`feature: false`); "
            "if it is, list it in data.not_leaking."
        )


class DataUnusable(Refusal):
    """The data cannot be learned from: empty, one class only, a split without rows."""


class SearchFailed(Refusal):
    """No trial of a search ended with a usable model."""


class PromotionRefused(Refusal):
    """At least one gate did not pass; nothing was moved."""

    def __init__(self, name: str, version: int, stage: str, verdicts: "Sequence[Verdict]"):
        self.name = name
        self.version = version
        self.stage = stage
        self.verdicts = tuple(verdicts)
        failed = [verdict for verdict in verdicts if not verdict.passed]
        lines = [f"{verdict.gate}: {verdict.reason}" for verdict in failed]
        super().__init__(
            f"{for_reasons(f'{name} version {version} is refused {stage}; nothing was moved', lines, always=True)}\n"
            f"Read the evidence with `slipway history {name}`, or train a better version with `slipway run {name}`."
        )


class UntrustedModel(Refusal):
    """A model holds types that are not trusted, or its bytes are not those that were registered."""


class SpecInvalid(UsageError):
    """experiment.yaml does not say something valid."""

    def __init__(self, path: Path | str, problems: "Sequence[Problem]"):
        self.path, self.problems = path, tuple(problems)
        lines = "\n".join(f"  {path}:{problem.line}: {problem}" for problem in self.problems)
        super().__init__(f"{len(self.problems)} problem(s) in {path}:\n{lines}")


class UnknownName(UsageError):
    """Something was asked for by a name that does not exist."""

    def __init__(self, kind: str, asked: object, known: Iterable[object], hint: str = ""):
        self.kind, self.asked, self.known = kind, asked, tuple(known)
        if f" {asked}" in hint and _nearest(str(asked), self.known):
            hint = ""  # a command with the misspelt name helps nobody who meant the nearest
        super().__init__(f"there is no {kind} '{asked}'{did_you_mean(str(asked), self.known)}{hint and f'. {hint}'}")


class UnknownVersion(UnknownName):
    """A registered model has no version of that number."""

    def __init__(self, name: str, asked: object, known: Iterable[int], hint: str = ""):
        self.kind, self.asked, self.known = f"version of {name}", asked, tuple(sorted(known))
        listed = some_of(self.known)
        there = f"there {'is' if len(self.known) == 1 else 'are'} {listed}" if listed else "there is none yet"
        UsageError.__init__(self, f"there is no version {asked} of {name}; {there}{hint and f'. {hint}'}")


class CallerUnknown(UsageError):
    """A server with users does not know the caller; `user` is the name that the caller gave with a password, if any."""

    def __init__(self, user: str | None):
        variables = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        super().__init__(
            f"the user '{user}' or its password is not right: the tracking server knows no such pair; see {variables}"
            if user
            else f"the tracking server does not know who asks: set {variables}"
        )


class CodeInvalid(UsageError):
    """A function or class named by experiment.yaml cannot be imported or does not do what it has to."""


class LibraryMissing(UsageError):
    """A library that a stored model needs is not installed.

    Args:
        module: the name that could not be imported.
        pinned: the requirement that the model was made with, such as `lightgbm==4.7.0`; empty where it is not known.
    """

    def __init__(self, module: str, pinned: str = ""):
        self.module = module
        self.pinned = pinned
        get = f"install the one that it was made with: `pip install {pinned}`" if pinned else how_to_get(module)
        super().__init__(f"the model needs the library '{module}', which is not installed here; {get}")


class NoServer(OutsideError):
    """No tracking server is known, or the known one does not answer.

    Callers of a service see the message too, so the user and the password of a URL are taken out of it.
    """

    def __init__(self, message: str):
        super().__init__(_USER_IN_URL.sub("", message))


class NotCompilable(OutsideError):
    """A model has a step that cannot be compiled into a plan. The model itself answers as before, only slower."""

    def __init__(self, step: str, why: str):
        self.step, self.why = step, why
        super().__init__(f"{step} is not compiled: {why}. The original pipeline has to answer.")


class ServiceFailed(OutsideError):
    """A process that Slipway started did not come up."""


class StoreUnusable(OutsideError):
    """The database or the bucket of a tracking server that is to be started cannot be used."""


class FileUnusable(OutsideError):
    """A file cannot be read or written."""


_EXTRAS = ("lightgbm", "xgboost", "catboost")


def for_reasons(what: str, reasons: "Sequence[str]", *, always: bool = False) -> str:
    """Return a refusal with its reasons: one short reason behind a colon, several or a long one each in a line of its own.

    The parts of a long reason, between semicolons, begin a line each, too.

    Args:
        what: what is refused.
        reasons: the reasons.
        always: whether even one short reason has a line of its own.
    """
    whole = f"{what}: {'; '.join(reasons)}"
    if len(reasons) == 1 and len(whole) <= _WIDTH and not always:
        return whole
    return "\n".join([f"{what}:", *(line for reason in reasons for line in _in_lines(reason))])


def _in_lines(reason: str) -> list[str]:
    if len(reason) + 2 <= _WIDTH:
        return [f"  {reason}"]
    first, *more = reason.split("; ")
    return [f"  {first}", *(f"    {part}" for part in more)]


def how_to_get(module: str) -> str:
    """Return the advice for a module that is not installed; the package may have another name, hence the `as in`."""
    if module in _EXTRAS:
        return f"install it with `pip install 'slipway[{module}]'`"
    return f"install the package that brings it, as in `pip install {module}`, and pin it in requirements.lock"


def did_you_mean(asked: str, known: Iterable[object], most: int = 12) -> str:
    """Return `; did you mean 'x'? There is: x, y, z`, to be put behind the name that does not exist.

    Args:
        asked: the name that does not exist.
        known: the names that exist.
        most: the number of names that are listed at most.
    """
    names = tuple(known)
    if not names:
        return "; there is none yet"
    near = _nearest(asked, names)
    return (f"; did you mean '{near}'? There" if near else "; there") + f" is: {some_of(names, most)}"


def _nearest(asked: str, known: Iterable[object]) -> str | None:
    return next(iter(get_close_matches(asked, [str(name) for name in known], n=1, cutoff=0.6)), None)


def some_of(items: Sequence[object], most: int = 12, between: str = ", ") -> str:
    """Return the first items in words, and how many more there are: `x, y and 3 more`."""
    return between.join(map(str, items[:most])) + (f" and {len(items) - most} more" if len(items) > most else "")

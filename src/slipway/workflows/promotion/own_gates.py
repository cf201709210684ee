"""The experiment's own gates: functions of its folder, as the run of the version kept them beside its test rows.

The working copy of the folder may have changed since, so it is asked only for a version whose run kept no code, as runs of
older releases did not. Code that is not the code of the run says so in each verdict that it gives.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from slipway.code import load_own
from slipway.core.gates import Evidence
from slipway.core.spec import name_of
from slipway.errors import CodeInvalid
from slipway.progress import note, step
from slipway.settings import Settings
from slipway.tracking.lineage import code_digest
from slipway.types import Verdict
from slipway.workflows.promotion.judged_inputs import JudgedInputs

CODE_DIFFERS = "code_differs"
"""The number of a verdict that was given by other code than that of the run: 1 where it was."""
_CODE_DIGEST = "slipway.code_digest"
_MOST_CHARACTERS = 1500  # the judge cuts a reason at 2000, and the words on its code come last


class GateCode(NamedTuple):
    """The folder of the code that judges a version, and why it is not the code of the run; empty where it is."""

    folder: Path
    differs: str


def gate_code(settings: Settings, inputs: JudgedInputs) -> GateCode:
    """Return the code that the run kept, or the working copy where the run kept none."""
    return _kept(inputs) or _working_copy(settings, inputs)


def own_verdicts(settings: Settings, inputs: JudgedInputs, evidence: Evidence) -> tuple[Verdict, ...]:
    """Call the experiment's own gates with the evidence.

    A function returns a Verdict, or (passed, reason). One that raises did not pass, with the error as the reason.
    """
    code = gate_code(settings, inputs)
    if code.differs:
        note(f"own gates: {code.differs}")
    given = (_own(code.folder, ref, evidence) for ref in evidence.experiment.gates.own)
    return tuple(_marked(verdict, code.differs) for verdict in given)


def marked_as_kept(verdict: Verdict, inputs: JudgedInputs) -> Verdict:
    """Mark a verdict of an own gate that somebody sends, where the code that the run kept is not the code of its digest."""
    code = _kept(inputs)
    return _marked(verdict, code.differs if code else "")


def _kept(inputs: JudgedInputs) -> GateCode | None:
    folder = inputs.rows.code
    if folder is None:
        return None
    was, kept = inputs.version.tags.get(_CODE_DIGEST, ""), code_digest(folder)
    differs = f"by code that its run kept ({kept[:12]}) and that is not the code of its digest ({was[:12] or 'none'})"
    return GateCode(folder, "" if was == kept else differs)


def _working_copy(settings: Settings, inputs: JudgedInputs) -> GateCode:
    folder = settings.experiments / inputs.rows.experiment.name
    was, now = inputs.version.tags.get(_CODE_DIGEST, ""), code_digest(folder)
    differs = (
        f"by the Python files of experiments/{folder.name} as they are now ({now[:12]}), which are not those of the run "
        f"({was[:12] or 'none'}), since it kept no copy"
    )
    return GateCode(folder, "" if was == now else differs)


def _marked(verdict: Verdict, differs: str) -> Verdict:
    if not differs or CODE_DIFFERS in verdict.numbers:
        return verdict
    reason = f"{verdict.reason[:_MOST_CHARACTERS]} ({differs})"
    return replace(verdict, reason=reason, numbers={CODE_DIFFERS: 1.0, **verdict.numbers})


def _own(folder: Path, ref: str, evidence: Evidence) -> Verdict:
    gate = name_of(ref)
    try:
        with step(f"own gate: {gate}"):
            result = load_own(folder, ref, "gates")(evidence)
    except CodeInvalid as error:
        return Verdict(gate, False, str(error).splitlines()[0])
    except Exception as error:  # the experiment's own code may raise anything  # noqa: BLE001
        return Verdict(gate, False, f"{ref} failed: {type(error).__name__}: {error}"[:500])
    if isinstance(result, Verdict):
        return replace(result, gate=gate)
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
        return Verdict(gate, bool(result[0]), result[1])
    return Verdict(
        gate, False, f"{ref} has to return a Verdict, or (passed, reason); it returned {type(result).__name__}"
    )

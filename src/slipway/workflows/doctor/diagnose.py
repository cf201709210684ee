"""The two examinations of `slipway doctor`: of the installation, and of the readiness of one experiment."""

from slipway.settings import Settings
from slipway.workflows.doctor import installation, surroundings
from slipway.workflows.doctor.findings import Diagnosis, examine

_LONGEST_S = 70.0


def diagnose(settings: Settings) -> Diagnosis:
    """Examine the installation and what it stands in. Nothing is changed, and nothing is raised for what is broken."""
    listed = [*installation.checks(settings), *surroundings.checks(settings)]
    return Diagnosis("Slipway and what it stands in", examine(listed, _LONGEST_S))

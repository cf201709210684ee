"""`slipway init`: an experiment.yaml that runs as it is, guessed from a table."""

from slipway.workflows.init.command import InitReport, init
from slipway.workflows.init.from_frame import init_from_frame
from slipway.workflows.init.wishes import InitWishes

__all__ = ["InitReport", "InitWishes", "init", "init_from_frame"]

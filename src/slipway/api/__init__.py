"""What a notebook imports: an experiment of the project, and a registered model.

The API is an edge like the command line. Each method calls the workflow that the command of its name calls, and returns what
that workflow returns, so a result has the same `str` and the same `as_dict()` as the command. Importing this package imports
neither MLflow nor pandas nor scikit-learn: each method imports what it needs.
"""

from slipway.api.experiment import ProjectExperiment as Experiment
from slipway.api.model import Model

__all__ = ["Experiment", "Model"]

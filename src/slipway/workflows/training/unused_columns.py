"""The declared features that automatic preprocessing leaves out, with the reason and the remedy."""

from slipway.core.spec import Experiment


def unused(experiment: Experiment) -> str:
    """Say which features automatic preprocessing leaves out; "" where it leaves out none."""
    data = experiment.data
    automatic = [name for name, candidate in experiment.search.candidates.items() if not candidate.takes_all]
    left_out = [f"{name} ({data.columns[name].type})" for name in data.features if name not in data.encoded]
    if not automatic or not left_out:
        return ""
    return (
        f"{', '.join(left_out)}: automatic preprocessing takes neither texts nor times, so no model of {', '.join(automatic)} "
        "is given them, and its callers are not asked for them. Turn them into numbers or categories in features.py, name a "
        "`pipeline` of your own, or say `feature: false`"
    )

"""The parts of a transition: the evidence of a version, its judgement, and the move between stages."""

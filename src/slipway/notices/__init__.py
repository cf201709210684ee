"""Notices to people and systems: an outbox that survives kills, and channels that bring them out of the house."""

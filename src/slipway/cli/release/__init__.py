"""The commands of a release: a version is registered, judged, approved and moved, and its history is read."""

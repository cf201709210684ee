"""The processes of an endpoint, by their role."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EndpointProcesses:
    """Process ids of an endpoint at one moment. A process that ended is missing until another one takes its place.

    Attributes:
        fork_server: The process that all others are forked from.
        fronts: The processes that answer HTTP requests.
        backs: The processes of the generations that serve, which hold the models.
        variant_backs: The same of the variant.
        comparer: None without a variant.
        capture_writer: None where nothing is captured.
    """

    fork_server: int
    fronts: tuple[int, ...]
    backs: tuple[int, ...]
    variant_backs: tuple[int, ...] = ()
    comparer: int | None = None
    capture_writer: int | None = None

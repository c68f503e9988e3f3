

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """An account. It is still a `User` after it went through the log and back."""

    id: str
    email: str


@dataclass(frozen=True)
class Approval:
    """What somebody of the staff decides, sent as JSON to `POST /approve/{email}`."""

    approved: bool
    by: str

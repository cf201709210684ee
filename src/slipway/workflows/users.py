"""`slipway user`: the users of a server with auth, their roles, and what they may do with which model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from slipway.errors import Refusal, UsageError
from slipway.settings import Settings
from slipway.tracking.users import (
    EVERY_MODEL,
    GRANTED,
    Account,
    Grant,
    account_of,
    add_user,
    experiment_of,
    give_role,
    is_user,
    list_accounts,
    remove_user,
    set_admin,
    take_back,
)
from slipway.types import UserRole
from slipway.workflows.session import resolve_tracking_uri

_WORDS = {permission: role.value for role, permission in GRANTED.items()}


@dataclass(frozen=True)
class User:
    """A user and the role that was given, for one registered model or for all.

    Attributes:
        name: the user.
        role: the role.
        model: the registered model; `*` for all.
        new: whether the user was made for it.
        trains: whether the role lets the user write to the experiment of the model.
    """

    name: str
    role: UserRole
    model: str
    new: bool
    trains: bool = False

    def as_dict(self) -> dict[str, Any]:
        role, model = self.role.value, _model(self.model)
        return {"name": self.name, "role": role, "model": model, "new": self.new, "trains": self.trains}

    def __str__(self) -> str:
        whose = "" if self.role is UserRole.ADMIN else f" of {_all(self.model)}"
        return f"{self.name} is {'a new user and ' if self.new else ''}now {self.role}{whose}{self._experiment}"

    @property
    def _experiment(self) -> str:
        if self.model == EVERY_MODEL:
            return ""
        if self.trains:
            return ", and may train its experiment"
        return (
            f"; {self.model} has no experiment yet, which is of whoever trains it first: give the role again then, and "
            f"{self.name} may train it, too"
        )


@dataclass(frozen=True)
class UserList:
    """The users of a server, each with roles, by model."""

    accounts: tuple[Account, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"users": [_as_dict(account) for account in self.accounts]}

    def __str__(self) -> str:
        lines = [("USER", "ROLE", "OF"), *(line for account in self.accounts for line in _lines(account))]
        widths = [max(len(line[at]) for line in lines) for at in (0, 1)]
        return "\n".join(f"{name:{widths[0]}}  {role:{widths[1]}}  {of}".rstrip() for name, role, of in lines)


@dataclass(frozen=True)
class Removed:
    """A user who was removed."""

    name: str

    def as_dict(self) -> dict[str, Any]:
        return {"removed": self.name}

    def __str__(self) -> str:
        return f"{self.name} is no user any more; runs, versions and entries of the ledger under that name stay"


@dataclass(frozen=True)
class Revoked:
    """The permissions that were taken from a user; admin: whether the user was an admin before."""

    name: str
    grants: tuple[Grant, ...]
    admin: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "admin": self.admin, "revoked": [_grant(grant) for grant in self.grants]}

    def __str__(self) -> str:
        taken = (["admin"] if self.admin else []) + [f"{_word(grant)} of {_whole(grant)}" for grant in self.grants]
        return f"{self.name} is no longer {', '.join(taken)}" if taken else f"{self.name} had nothing to take away"


def user(settings: Settings, name: str, role: UserRole, model: str | None, password: Callable[[], str]) -> User:
    """Give a user a role for a registered model; a user that is not there is made first.

    Args:
        settings: the tracking server.
        name: the user.
        role: the role to give; it takes the place of the one that the user has for the same model.
        model: the registered model; None for all of them.
        password: returns the password of a new user; it is called for a new user only.

    Raises Refusal when the caller is no admin, UsageError for a model with a role that is for all of them.
    """
    if model and role in (UserRole.READER, UserRole.ADMIN):
        raise UsageError(f"the role {role} is for all models; leave --model out")
    uri = resolve_tracking_uri(settings)
    if new := not is_user(uri, name):
        add_user(uri, name, password())
    elif role is UserRole.READER:
        _require_another_admin(uri, name)
        set_admin(uri, name, False)
    trains = give_role(uri, name, role, model or EVERY_MODEL)
    return User(name, role, model or EVERY_MODEL, new, trains)


def list_users(settings: Settings) -> UserList:
    """Return the users of the server. Raises Refusal when the caller is no admin."""
    return UserList(tuple(list_accounts(resolve_tracking_uri(settings))))


def remove(settings: Settings, name: str) -> Removed:
    """Remove a user. Raises UnknownName, and Refusal for the last admin or when the caller is no admin."""
    uri = resolve_tracking_uri(settings)
    account_of(uri, name)
    _require_another_admin(uri, name)
    remove_user(uri, name)
    return Removed(name)


def revoke(settings: Settings, name: str, model: str | None) -> Revoked:
    """Take from a user what the user may do with a registered model and its experiment; None for all of them, and the rights
    of an admin.

    The user stays, and may do what everybody may. Raises UnknownName, Refusal for the last admin, when the caller is no admin,
    and for a model when the user has the permission for all models.
    """
    uri = resolve_tracking_uri(settings)
    account = account_of(uri, name)
    grants = tuple(grant for grant in account.grants if grant.on_model or grant.authored)
    if model is None:
        if account.is_admin:
            _require_another_admin(uri, name)
            set_admin(uri, name, False)
        take_back(uri, name, (*grants, *_on_experiments(uri, account)))
        return Revoked(name, grants, account.is_admin)
    if account.is_admin:
        raise Refusal(f"{name} is an admin, who may do everything; `slipway user revoke {name}` takes that away first")
    for grant in grants:
        if grant.of == EVERY_MODEL:
            raise Refusal(
                f"{name} is {_word(grant)} of all models, so nothing can be taken away for {model} alone; "
                f"`slipway user revoke {name}` takes it away for all"
            )
    experiment = experiment_of(uri, model)
    of_it = tuple(grant for grant in account.grants if grant.is_of(model, experiment) or grant.authored == model)
    take_back(uri, name, of_it)
    return Revoked(name, tuple(grant for grant in grants if model in (grant.of, grant.authored)))


def _on_experiments(uri: str, account: Account) -> Iterator[Grant]:
    """Yield what a user has on the experiments of the models of his or hers, as who trained one first does."""
    for model in {grant.of for grant in account.grants if grant.on_model and grant.of != EVERY_MODEL}:
        experiment = experiment_of(uri, model)
        yield from (grant for grant in account.grants if not grant.on_model and grant.is_of(model, experiment))


def _require_another_admin(uri: str, name: str) -> None:
    """Raise Refusal where a user is the only admin: without one, nobody could make or change a user any more."""
    if [account.name for account in list_accounts(uri) if account.is_admin] == [name]:
        raise Refusal(f"{name} is the last admin; make another one first: `slipway user NAME admin`")


def _lines(account: Account) -> list[tuple[str, str, str]]:
    of_models = [g for g in account.grants if g.authored or (g.on_model and g.permission in _WORDS)]
    lines = [(account.name, "admin", "everything")] if account.is_admin else []
    lines += [(account.name, _word(grant), _whole(grant) + (" (made it)" if grant.own else "")) for grant in of_models]
    return lines or [(account.name, "author", "")]


def _as_dict(account: Account) -> dict[str, Any]:
    models = [_grant(grant) for grant in account.grants if grant.on_model or grant.authored]
    return {"name": account.name, "admin": account.is_admin, "reader": account.is_reader, "models": models}


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "model": _model(grant.authored or grant.of),
        "role": _word(grant),
        "permission": grant.permission,
        "made_it": grant.own,
    }


def _word(grant: Grant) -> str:
    return UserRole.AUTHOR.value if grant.authored else _WORDS.get(grant.permission, grant.permission)


def _model(of: str) -> str | None:
    return None if of == EVERY_MODEL else of


def _whole(grant: Grant) -> str:
    return _all(grant.authored or grant.of)


def _all(of: str) -> str:
    return "all models" if of == EVERY_MODEL else of

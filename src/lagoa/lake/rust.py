"""What delta-rs says when it fails, of whatever class, as an error that a user can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

from lagoa.errors import LagoaError, LakeError
from lagoa.lake.files import plain, unwritable


@contextmanager
def asked(table: object) -> Iterator[None]:
    """Turn what delta-rs raises while it reads a table into LakeError LG-302."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, LagoaError):
        raise
    except BaseException as error:  # a Rust panic derives from BaseException alone
        raise LakeError(
            "LG-302",
            f"{table} cannot be read: {plain(str(error))}",
            hint="`lagoa doctor --verify` names what is broken",
        ) from error


def attempted(commit: Callable[[], object]) -> BaseException | None:
    """Try a commit; return what was raised. Neither an error nor its absence proves what the log now says."""
    try:
        commit()
    except (KeyboardInterrupt, SystemExit, LagoaError):
        raise
    except BaseException as error:  # noqa: BLE001 # a Rust panic derives from BaseException alone, and the log is looked at
        return error
    return None


def refusal(table: object, error: BaseException | None) -> LakeError:
    """Say why a commit did not happen although nobody else's did."""
    if isinstance(error, OSError):
        return unwritable(table, error)
    if isinstance(error, DeltaError) or error is not None:
        return LakeError("LG-306", f"{table} could not be committed: {plain(str(error))}")
    return LakeError("LG-302", f"{table}: a commit that was made has vanished from its log")

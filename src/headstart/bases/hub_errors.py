"""What went wrong with the Hub, in one line that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from headstart.bases.table import entries
from headstart.errors import BaseError, nearest

_INSTEAD = "use an embedded base or a local folder, or try again"


def is_final(error: Exception) -> bool:
    """Whether trying again at once is of no use: it was answered, or huggingface_hub has tried again itself."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS)
    tried = {"TimeoutException", "ConnectError", "RemoteProtocolError"} & _kinds(error)
    return full or bool(tried) or isinstance(error, (HfHubHTTPError, LocalEntryNotFoundError, ValueError))


def explained(error: Exception, name: str, repo: str, revision: str) -> BaseError:
    """``error`` of huggingface_hub as ours.

    Args:
        name: what the user wrote.
        revision: what was asked for; "" for the default branch.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    page = f"{constants.ENDPOINT}/{repo}"
    if isinstance(error, GatedRepoError):
        return BaseError(f"base {name!r} is gated on the Hub: {_gate(error, page)}.")
    if isinstance(error, RepositoryNotFoundError):
        return BaseError(
            f"base {name!r} is not on the Hub ({constants.ENDPOINT} knows no {repo}), or is private and HF_TOKEN is "
            f"not set; check the name.{nearest(repo, entries())}"
        )
    if isinstance(error, RevisionNotFoundError):
        return BaseError(f"base {name!r} has no revision {revision!r} on the Hub; see {page}/commits/main.")
    return BaseError(f"base {name!r} could not be fetched from the Hub ({_reason(error)}); {_INSTEAD}.")


def _gate(error: Exception, page: str) -> str:
    if _status(error) == 403:
        return f"your token's account has no access yet; accept its terms at {page}, or wait for its owners' answer"
    return f"accept its terms at {page} and set HF_TOKEN"


def _reason(error: Exception) -> str:
    from huggingface_hub.errors import FileMetadataError, OfflineModeIsEnabled

    causes = list(_causes(error))
    status = next((code for code in map(_status, causes) if code), 0)
    kinds = set().union(*map(_kinds, causes))
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes):
        return "HF_HUB_OFFLINE is set and it is not in the local cache"
    if status in (401, 403):
        return f"it answered {status}: HF_TOKEN is wrong, expired or may not read it"
    if status == 429:
        return "it answered 429: too many requests, wait or set HF_TOKEN"
    if status:
        return f"it answered {status}"
    if any(isinstance(cause, FileMetadataError) for cause in causes):
        return "the server does not speak the Hub's protocol; check HF_ENDPOINT"
    if "TimeoutException" in kinds:
        return "the server did not answer in time"
    if "TransportError" in kinds:
        return "no network, or the connection broke again and again"
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _kinds(error: BaseException) -> set[str]:
    """The names of its classes; the HTTP library is huggingface_hub's choice, so that it is not imported here."""
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> int:
    """The HTTP status of a refused request; 0 of other errors."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))

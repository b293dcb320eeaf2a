"""What may be shown of a value: secrets are masked in errors, logs, run folders and `config show`."""

import re
from typing import Final

__all__ = ["is_secret_key", "masked", "shown_text"]

MASK: Final = "***"
SHOWN_EACH_END: Final = 4
SHOWN_ABOVE_CHARS: Final = 16
_SECRET_KEY: Final = re.compile(
    r"(^|_)(secret|password|passwd|passphrase|token|api_?key|private_?key|apikey|credentials?)(_|$)", re.IGNORECASE
)
_URL_PASSWORD: Final = re.compile(r"(?<=://)([^/@\s:]*):([^@\s]+)@")


def is_secret_key(key: str) -> bool:
    """Whether a setting of this name holds a secret, such as `api_key` or `redis_password`."""
    return _SECRET_KEY.search(key) is not None


def masked(secret: str) -> str:
    """`abcd...wxyz`: four and four, only when longer than 16, else `***`."""
    if len(secret) <= SHOWN_ABOVE_CHARS:
        return MASK
    return f"{secret[:SHOWN_EACH_END]}...{secret[-SHOWN_EACH_END:]}"


def shown_text(text: str, key: str = "") -> str:
    """`text` as it may be shown: masked under a secret key, passwords of URLs always as `***`."""
    return masked(text) if is_secret_key(key) else _URL_PASSWORD.sub(rf"\1:{MASK}@", text)

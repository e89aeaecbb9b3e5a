"""The maintainers' login: one password from the settings, a signed cookie, and a brake on guessing."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time

__all__ = ["COOKIE", "SESSION_SECONDS", "Login"]

COOKIE = "gmedbot_maintainer"
SESSION_SECONDS = 8 * 3600
#: Wrong passwords allowed in a minute, for everybody together: there is one password and few who know it.
_TRIES = 8


class Login:
    """Checks passwords and cookies. Cookies end with the process, because its key does."""

    def __init__(self, password: str) -> None:
        self._password = password.encode()
        self._key = secrets.token_bytes(32)
        self._wrong: list[float] = []
        self._lock = threading.Lock()

    def is_braked(self) -> bool:
        """Too many wrong passwords in the last minute."""
        with self._lock:
            self._wrong = [at for at in self._wrong if time.monotonic() - at < 60]
            return len(self._wrong) >= _TRIES

    def check(self, password: str) -> bool:
        """Whether this is the password; compared in constant time."""
        is_right = hmac.compare_digest(password.encode(), self._password)
        if not is_right:
            with self._lock:
                self._wrong.append(time.monotonic())
        return is_right

    def cookie(self) -> str:
        """A signed value that says until when its bearer is logged in."""
        until = str(int(time.time()) + SESSION_SECONDS)
        return f"{until}.{self._sign(until)}"

    def is_valid(self, cookie: str | None) -> bool:
        """Whether a cookie is ours and not yet over."""
        until, _, sign = (cookie or "").partition(".")
        is_ours = hmac.compare_digest(sign.encode(), self._sign(until).encode())
        return is_ours and until.isdigit() and int(until) > time.time()

    def form_key(self, cookie: str | None) -> str:
        """A value that a form of ours carries back: a page of another origin cannot read it, so it cannot send one."""
        return self._sign(f"form {cookie or ''}")

    def is_form_key(self, cookie: str | None, key: str) -> bool:
        """Whether a form came from a page that we gave to the bearer of this cookie."""
        return hmac.compare_digest(key.encode(), self.form_key(cookie).encode())

    def _sign(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

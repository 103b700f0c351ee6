"""How a tool knows us: fixed headers, or a token that is fetched and renewed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import orjson

from connectors.errors import Retry, Stop
from connectors.http import Answer, Client, basic_auth, require_success

# type → (needed keys, possible keys)
AUTH_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "bearer": (("token",), ()),
    "basic": (("user", "password"), ()),
    "headers": (("headers",), ()),
    "oauth2": (("token_url", "client_id", "client_secret"), ("parameters",)),
}
RENEW_BEFORE_S = 60.0
SHORTEST_LIFE_S = 60.0


@dataclass(frozen=True)
class Auth:
    """As configured; which keys are set depends on ``type`` (AUTH_KEYS)."""

    type: str
    token: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_url: str = ""
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def signing(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """(headers, secrets); the headers of oauth2 come later."""
        if self.type == "bearer":
            return {"Authorization": f"Bearer {self.token}"}, (self.token,)
        if self.type == "basic":
            return basic_auth(self.user, self.password)
        if self.type == "oauth2":
            return {}, (self.client_secret,)
        return dict(self.headers), tuple(self.headers.values())


@dataclass
class Api:
    """Signed requests to the tool, from any thread. ``token_client`` speaks to the host of the
    token's address, None when ``client`` has all that it needs."""

    client: Client
    auth: Auth
    token_client: Client | None = None
    now: Callable[[], float] = time.monotonic
    _signed: Client | None = field(default=None, repr=False)
    _expires: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def request(self, method: str, path: str, body: bytes | None) -> Answer:
        """Raises Retry and Stop like Client.request; a token that was refused is renewed once."""
        client = self._client(stale=None)
        answer = client.request(method, path, body=body)
        if answer.status == 401 and self.token_client is not None:
            answer = self._client(stale=client).request(method, path, body=body)
        return answer

    def reason(self, text: object) -> str:
        """Text of the tool, fit for a report."""
        return (self._signed or self.client).reason(text)

    def close(self) -> None:
        self.client.close()

    def _client(self, stale: Client | None) -> Client:
        if self.token_client is None:
            return self.client
        with self._lock:
            if self._signed is None or self._signed is stale or self.now() >= self._expires:
                self._signed = self._renewed(self.token_client)
            return self._signed

    def _renewed(self, token_client: Client) -> Client:
        """https://datatracker.ietf.org/doc/html/rfc6749#section-4.4, with a JSON body."""
        body = {
            "grant_type": "client_credentials",
            "client_id": self.auth.client_id,
            "client_secret": self.auth.client_secret,
            **self.auth.parameters,
        }
        path = urlsplit(self.auth.token_url).path
        try:
            answer = require_success(token_client.request("POST", path, body=orjson.dumps(body)))
            if answer.body is None:
                raise Retry("the token's address answered without JSON", status=answer.status)
        except Retry as error:
            error.unsent = True  # what the token is for
            raise
        token = answer.told.get("access_token")
        if not isinstance(token, str) or not token:
            raise Stop("the token's address answered without access_token", status=answer.status)
        life_s = answer.body.get("expires_in")
        if isinstance(life_s, bool) or not isinstance(life_s, int | float):
            life_s = SHORTEST_LIFE_S
        self._expires = self.now() + max(life_s - RENEW_BEFORE_S, SHORTEST_LIFE_S)
        return replace(
            self.client,
            headers={**self.client.headers, "Authorization": f"Bearer {token}"},
            secrets=(*self.client.secrets, token),
        )


def lost(error: Retry) -> bool:
    """Whether a request that failed so may have been carried out all the same."""
    if error.unsent:
        return False
    return error.status is None or not 400 <= error.status < 500 or error.status == 408

"""The environment as one frozen object. A missing or senseless value stops the start with a sentence."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.errors import SettingsError

OPENAI_URL = "https://api.openai.com/v1"
TOKENLAB_URL = "https://api.tokenlab.sh/v1"

Sessions = Annotated[int, Field(ge=1)] | None
"""How many sessions a provider's account may have at once; None: as many as it lets."""


def _is_base_url(value: str) -> str:
    wanted = "write http(s):// or ws(s):// with a host, such as https://gateway.example.com"
    try:
        parts = urlsplit(value)
        is_reachable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise ValueError(f"is {value!r} and cannot be read ({error}); {wanted}") from error
    if not is_reachable:
        raise ValueError(f"is {value!r}; {wanted}")
    return value


BaseUrl = Annotated[str, AfterValidator(_is_base_url)]
"""Where a vendor is reached, as far as its documents begin."""


class Settings(BaseSettings):
    """What the service is told by its environment; the names are the variables', in small letters."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: Annotated[str | None, NoDecode] = None
    agents_dir: Path = Path("deploy/agents")
    data_dir: Path = Path("data")
    database_url: str | None = None
    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: BaseUrl = OPENAI_URL
    openai_max_sessions: Sessions = None
    azure_openai_endpoint: BaseUrl | None = None
    azure_openai_api_key: SecretStr | None = None
    azure_openai_deployment_name: str | None = None
    azure_openai_max_sessions: Sessions = None
    openai_api_version: str | None = None
    tokenlab_api_key: SecretStr | None = None
    tokenlab_base_url: BaseUrl = TOKENLAB_URL
    tokenlab_max_sessions: Sessions = None
    max_calls: Annotated[int, Field(ge=1)] = 50
    drain_s: Annotated[float, Field(ge=0)] = 1800.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_small_letters(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        try:
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is none
            is_one = False
        if not is_one or parts.query or parts.fragment:
            raise ValueError(f"is {value!r}; write the address that Twilio calls, such as https://voice.example.com")
        if parts.username or parts.password:
            raise ValueError("has a user name or password in it; leave them out")
        return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError("is of no known kind; write sqlite:///path or postgresql://user@host/name")
        return value

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not is_loopback(self.host):
            if self.twilio_auth_token is None:
                raise ValueError(
                    f"HOST is {self.host} and TWILIO_AUTH_TOKEN is not set; without it anybody could place calls: "
                    "set it, or serve a loopback address (HOST=127.0.0.1)"
                )
            if self.public_url is None:
                raise ValueError(
                    f"HOST is {self.host} and PUBLIC_URL is not set; set it to the address that Twilio calls, "
                    "such as https://voice.example.com: signatures are checked against it"
                )
        return self

    def address(self, port: int | None = None) -> str:
        """Return the public URL, or on loopback the address that is served. port: the one really bound."""
        if self.public_url is not None:
            return self.public_url
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port if port is None else port}"

    @property
    def database(self) -> str:
        """The tools' database; SQLite under the data folder unless said otherwise."""
        return self.database_url or "sqlite:///dialtone.db"


def is_loopback(host: str) -> bool:
    """Is this an address that only this machine can reach?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError with a sentence for each wrong value, its variable first."""
    try:
        return Settings()
    except ValidationError as error:
        sentences = []
        for mistake in error.errors():
            name = "_".join(str(part) for part in mistake["loc"]).upper()
            message = mistake["msg"].removeprefix("Value error, ")
            sentences.append(f"{name}: {message}" if name else message)
        raise SettingsError("; ".join(sentences)) from error

"""Every environment variable, typed. Imported by server.py alone; others are given values."""

import base64
import binascii
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET_BYTES = 32
MOST_ACCESS_TOKEN_MINUTES = 366 * 24 * 60
MOST_REFRESH_TOKEN_DAYS = 3660


class SettingsError(Exception):
    """A setting that cannot be read, in one line that names it."""


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not the name of a time zone, such as Europe/Berlin") from error


def _long_enough(secret: str) -> str:
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ValueError(f"needs at least {MIN_SECRET_BYTES} bytes, such as `openssl rand -hex 32` prints")
    return secret


def _base64_secret(secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not key or not secret.startswith("whsec_"):
        raise ValueError("is of the form whsec_<base64>, as Standard Webhooks have it")
    return secret


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not of the form http://host or https://host")
    return url


def _networks(addresses: str) -> str:
    for each in addresses.split(","):
        if each.strip() != "*":
            _network(each.strip())
    return addresses


def _network(address: str) -> None:
    try:
        ip_network(address)
    except ValueError as error:
        raise ValueError(f"{error}: addresses and networks, by commas, such as 127.0.0.1,10.0.0.0/8") from error


class Settings(BaseSettings):
    """The environment, `.env` included. docs/settings.md says what each one does."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(_web_address)] | None = None
    metrics_port: int | None = Field(None, ge=1, le=65535)
    log_format: Literal["text", "json"] = "text"
    introspection: bool = True
    rate_per_second: int = Field(100_000, ge=1)
    rate_burst: int = Field(1_000_000, ge=1)
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = "127.0.0.1"

    mongodb_uri: str | None = None
    data_dir: Path = Path(".data")
    mongod_binary: str | None = None

    jwt_secret: Annotated[str, AfterValidator(_long_enough)] | None = None
    suppression_key: Annotated[str, AfterValidator(_long_enough)] | None = None
    access_token_minutes: int = Field(60, ge=1, le=MOST_ACCESS_TOKEN_MINUTES)
    refresh_token_days: int = Field(30, ge=1, le=MOST_REFRESH_TOKEN_DAYS)
    registration: Literal["first", "open", "closed"] = "first"

    google_api_key: str | None = None
    gemini_model: str = "gemini-2.5-flash"
    gemini_api_endpoint: Annotated[str, AfterValidator(_web_address)] | None = None

    vendor_api_url: Annotated[str, AfterValidator(_web_address)] = "http://localhost:3001/api/vendor"
    vendor_api_key: str | None = None
    vendor_webhook_secret: Annotated[str, AfterValidator(_base64_secret)] | None = None

    currency: str = Field("USD", pattern="^[A-Z]{3}$")
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("UTC")
    max_batch: int = Field(10_000, ge=1, le=100_000)

    importers: int = Field(1, ge=0, le=1)
    senders: int = Field(1, ge=0, le=64)
    vendor_batch_size: int = Field(500, ge=1, le=1000)
    max_attempts: int = Field(5, ge=1, le=100)
    receipt_timeout_seconds: int = Field(3600, ge=1)
    frequency_cap_per_day: int | None = Field(None, ge=1)

    @property
    def callback_url(self) -> str:
        """Where the vendor is told to send receipts."""
        base = self.public_url or f"http://{self.host}:{self.port}"
        return f"{base.rstrip('/')}/webhooks/delivery-receipts"


def load() -> Settings:
    """Read the environment; raises SettingsError with one line for the first setting that cannot be read."""
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        name = "_".join(str(part) for part in fault["loc"][:1]).upper()
        raise SettingsError(f"{name}: {fault['msg'].removeprefix('Value error, ')}") from error

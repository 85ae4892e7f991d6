"""The switches, from the environment."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Share = Annotated[float, Field(ge=0, le=1)]


def _window(text: str) -> str:
    start, _, end = text.partition(":")
    if not 0 <= float(start) < float(end):
        raise ValueError("is of the form 20:35, in seconds after the start")
    return text


class Settings(BaseSettings):
    """VENDOR_SIM_… for the switches; README.md says what each does."""

    model_config = SettingsConfigDict(env_prefix="VENDOR_SIM_", env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = 3001
    seed: int = 1
    success_rate: Share = 0.9
    latency_ms: float = Field(200, ge=0)
    receipt_batch: int = Field(200, ge=1, le=5000)
    error_rate: Share = 0
    drop_rate: Share = 0
    throttle_rps: float | None = Field(None, gt=0)
    duplicate_rate: Share = 0
    reorder: Share = 0
    outage: Annotated[str, AfterValidator(_window)] | None = None

    api_key: str | None = Field(None, validation_alias="VENDOR_API_KEY")
    webhook_secret: str | None = Field(None, validation_alias="VENDOR_WEBHOOK_SECRET")

    @property
    def outage_window(self) -> tuple[float, float] | None:
        """The seconds after the start between which the vendor is down."""
        if self.outage is None:
            return None
        start, _, end = self.outage.partition(":")
        return float(start), float(end)

"""Building blocks of the models: money as text, text without NUL, pages."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

Money = Annotated[
    str, Field(pattern=r"^-?\d+(\.\d+)?$", description="Exact decimal number.", examples=["1234.50000000"])
]
#: PostgreSQL's text cannot hold NUL, and nobody means it.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=2_000)]
ShortText = Annotated[str, Field(pattern=r"^[^\x00]*$", min_length=1, max_length=200)]
Instant = AwareDatetime
#: Marks a field that holds a secret, in the schema's own word for it. Such a request's answer is never kept.
SECRET: Final[dict[str, JsonValue]] = {"format": "password"}
#: A secret that an answer tells once.
ToldOnce = Annotated[
    str, Field(description="Told this once; only its hash is kept.", json_schema_extra=SECRET)
]


class View(BaseModel):
    """An answer. A field that is not declared here is a mistake of ours."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Body(BaseModel):
    """A request's body. Unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def _plain_json(value: dict[str, Any]) -> dict[str, Any]:
    if _holds_nul(value):
        raise ValueError("text cannot hold the character NUL")
    return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


PlainJson = Annotated[dict[str, Any], AfterValidator(_plain_json)]

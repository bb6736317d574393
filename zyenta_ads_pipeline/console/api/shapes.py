"""What all declared replies share: names as the seeds write them, money as numbers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from zyenta_ads_pipeline.console.api.writing import Number

Numeric = Annotated[Number, WithJsonSchema({"type": "number"})]
Money = Annotated[Numeric, Field(description="Major units of `currency`, exact.")]
Ratio = Annotated[
    Numeric | None, Field(description="A ratio of sums; null where the denominator is nothing.")
]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Json = dict[str, Any]

WITHOUT_BLANKS = BeforeValidator(
    lambda given: [each for each in given if each != ""] if isinstance(given, list) else given
)
"""A filter that was left empty, as in `?status=`, filters nothing."""
PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description="Page, from 1.")]
PageSize = Annotated[int, Query(ge=1, le=200, description="Rows on a page.")]


class Shape(BaseModel):
    """A declared reply: camelCase, as the seeds' models."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Body(BaseModel):
    """What is sent: snake_case, as the seeds' parameters; nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid")


class PageOf(Shape):
    """Where a page stands among all of them."""

    page: int
    pages: int
    per_page: int
    total: int = Field(description="Rows on all pages.")


def page_of(found: Any) -> Json:
    """The same from a page of the store."""
    return {
        "page": found.page,
        "pages": found.pages,
        "perPage": found.size,
        "total": found.total_rows,
    }

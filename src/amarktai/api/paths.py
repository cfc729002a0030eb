"""Parameters of paths that match nothing but what they name, so that no route answers for another."""

from __future__ import annotations

import re

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import compile_path

from amarktai.domain.provider import ProviderId


class ProviderConvertor(Convertor[str]):
    """``{provider:provider}``: one of the eight names."""

    regex = "|".join(ProviderId)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("provider", ProviderConvertor())


def pattern_of(path: str) -> re.Pattern[str]:
    """Return what a path of the OpenAPI document matches: ids are UUIDs, providers the eight."""
    return compile_path(path.replace("_id}", "_id:uuid}").replace("{provider}", "{provider:provider}"))[0]

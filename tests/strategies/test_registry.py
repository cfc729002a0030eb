from __future__ import annotations

import importlib
import pkgutil
from dataclasses import FrozenInstanceError, fields

import pytest

from amarktai.domain.errors import NotFound
from amarktai.strategies import library
from amarktai.strategies.contract import Strategy, default_of, parameter_fields, parse_params
from amarktai.strategies.registry import strategies, strategy

MODULES = [info.name for info in pkgutil.iter_modules(library.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_file_exports_exactly_one_strategy_of_its_own_name(name: str) -> None:
    module = importlib.import_module(f"{library.__name__}.{name}")
    found = [item for item in vars(module).values() if isinstance(item, Strategy)]
    assert found == [module.STRATEGY]
    assert module.STRATEGY.id == name


def test_ids_and_titles_are_unique() -> None:
    known = strategies()
    assert sorted(known) == sorted(MODULES)
    assert len({item.title for item in known.values()}) == len(known)


@pytest.mark.parametrize("item", strategies().values(), ids=lambda item: item.id)
def test_a_strategy_is_complete_and_its_parameters_are_frozen(item: Strategy) -> None:
    assert item.title and item.description and item.source
    assert (item.signals is None) != (item.decide is None)
    assert (item.signals is None) == (item.exits is None)
    for field in parameter_fields(item):
        assert field.metadata["low"] <= default_of(field) <= field.metadata["high"]
        assert field.metadata["description"]
    params = parse_params(item, {})
    assert item.warmup(params) >= 1
    with pytest.raises(FrozenInstanceError):
        setattr(params, fields(params)[0].name, 1)


def test_an_unknown_strategy_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        strategy("emacross")
    assert "ema_cross" in caught.value.action
    with pytest.raises(NotFound) as caught:
        strategy("zzzzzz")
    assert "donchian_trend" in caught.value.action

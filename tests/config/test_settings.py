import typing

import pytest
from pydantic import BaseModel

from custid.config import Config, parse
from custid.errors import ConfigError


def groups(model: type[BaseModel]) -> typing.Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        for kind in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield name, kind


def test_every_setting_says_what_it_is():
    silent = [
        f"{m.__name__}.{n}"
        for m in (Config, *(g for _, g in groups(Config)))
        for n, f in m.model_fields.items()
        if not f.description and not (isinstance(f.annotation, type) and issubclass(f.annotation, BaseModel))
    ]
    assert silent == []


def test_a_stage_that_needs_a_horizon_says_so():
    config = parse("sources: [{name: shop, table: transactions, uri: a.csv}]", "shop.yaml")
    with pytest.raises(ConfigError, match="180d"):
        config.needs_horizon()


def test_segments_cannot_be_fewer_than_the_least():
    with pytest.raises(ConfigError, match="at least 5"):
        parse("segments: {least: 5, most: 3}\nsources: [{name: s, table: transactions, uri: a.csv}]", "shop.yaml")

"""Settings: ``configs/*.yaml`` -> frozen, typed objects.

Read with :func:`load`. Keys can be overridden one by one (``--set tuning.trials=5``, ``--set sources.shop.uri=PATH``)
and ``${NAME}`` in a value is taken from the environment, so that secrets stay out of files. Errors name the file, the
line, the key, its value and what was expected. Settings hold no behaviour.
"""

from .read import load, parse
from .settings import Config, SourceSettings

__all__ = ["Config", "SourceSettings", "load", "parse"]

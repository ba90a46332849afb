"""``python -m custid`` is the command ``custid``."""

from .cli import main

main()

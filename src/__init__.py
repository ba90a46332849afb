"""custid finds the customers who matter.

It takes the records a company already has (orders, visits, ratings, campaigns, over several channels), makes one
customer each, and says what they are worth, whether they are leaving, which group they belong to, why the models
think so, and what to do about it. Data moves one way: ``ingest`` -> ``identity`` -> ``features`` -> ``training`` ->
``registry`` -> ``serving`` -> ``profiles`` -> ``report``; only ``pipeline`` knows that order.
"""

__version__ = "0.1.0"

"""Identity: which records, of which sources, are the same customer.

Takes the canonical tables as they were known before ``as_of`` and gives ``identity.parquet``: for every (source,
record_id) of any table exactly one row with its ``customer_id``, the method by which it was found, and its probability.
Where there is one source, its own ids are kept. Otherwise records that share an exact key (an e-mail address, a
telephone number, a national id, each in standard form) are one customer.

It never depends on the order of rows, never looks at rows at or after ``as_of``, and never changes a record.
"""

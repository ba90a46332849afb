"""Segments: cut where the futures of customers differ, named, and judged by what they tell apart.

Takes the history of a training; gives a :class:`~custid.models.segments.Segments` with its metrics. The axes are learnt
from earlier labelled days, the number is chosen on days before the held-out one, and the held-out day judges.
"""

"""Uplift: whom does contact change, from campaigns that had a control group.

Takes contacts, as features of the day of each and what came of it, or observations with a treatment; gives a
:class:`~custid.models.uplift.Uplift` of meta-learners weighed by the R-loss, judged by the Qini area.
"""

"""What is abnormal: empirical tails among peers, alone and together.

Takes tables of features and says how abnormal each customer is, from 0 to 1, and which features make it so. No labels
are needed, nothing here knows what came of a customer, and a row gives the same alone or among others.
"""

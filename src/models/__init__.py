"""What is fitted on many customers.

Takes arrays and tables of features, counts and labels; gives predictions, probabilities and groups. A model here never
reads a file, opens a store, logs to a tracking server or knows a task: ``training`` fits and judges them, ``serving``
asks them.
"""

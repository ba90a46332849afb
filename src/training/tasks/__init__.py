"""The tasks: one file each, a question and what it takes to learn it.

A module here has a constant ``TASK``; it is found by itself. A task says what is predicted and how that is labelled;
it never fits, reads tables or knows another task.
"""

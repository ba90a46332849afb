"""The report: one self-contained page for a person who reads no code.

Takes the files of a workspace (profiles, features, metrics, quality) and the models behind the scores; gives one HTML
file that opens without a network, in light and dark, on paper and on a telephone. Charts are drawn here as static SVG
and HTML. It never computes a score and never judges a model anew: every figure on the page lies in a file of the run.
What did not run is left out with a sentence.
"""

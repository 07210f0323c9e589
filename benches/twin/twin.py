"""Runs function.py as Lambda runs it: with awslambdaric, the very client that AWS's Python image has.

It comes ready-made from PyPI, so a bootstrap of our own would be less fair and no simpler.
"""

from awslambdaric.__main__ import main

main(["awslambdaric", "function.handler"])

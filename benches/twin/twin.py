"""Runs a handler, function.handler unless another is named, as Lambda runs it.

That is with awslambdaric, the very client that AWS's Python image has. It comes ready-made from PyPI, so a bootstrap of our own would be less fair and no simpler.
"""

import sys

from awslambdaric.__main__ import main

main(["awslambdaric", *(sys.argv[1:] or ["function.handler"])])

"""The composition root: the only package that names concrete adapters.

One module per process, so that each imports no more than it needs.
"""

"""OVEX's twin: a desk that quotes on request, after its public API's published introduction and ovex-py.

Nobody outside OVEX has published the answers of accept_quote, rfq/trades and accounts, or its errors: those
are guesses, each stated where it is made.
"""

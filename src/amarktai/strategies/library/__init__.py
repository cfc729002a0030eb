"""One file, one strategy: each module exports ``STRATEGY``. ``strategies.registry`` finds it here."""

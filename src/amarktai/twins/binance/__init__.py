"""Binance's spot twin, after binance/binance-spot-api-docs and the wallet endpoints of its API documents."""

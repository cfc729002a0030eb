"""Strategies: the contract, the library, and what turns signals into orders. All pure."""

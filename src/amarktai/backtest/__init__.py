"""Backtests: the compiled kernel, the event loop beside it, and what their results say. All pure."""

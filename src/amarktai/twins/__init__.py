"""Local servers that speak each exchange's own protocol, with faults on demand.

Written from the exchanges' documents, never from the adapters: a twin and an adapter that share a
mistake would prove nothing, so ``twins`` and ``venues`` do not import each other.
"""

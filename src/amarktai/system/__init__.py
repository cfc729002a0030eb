"""Adapters of the machine itself: real and virtual time, ids, randomness."""

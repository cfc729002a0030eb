"""Adapters of the eight providers: what each is, and how one of its keys is tested."""

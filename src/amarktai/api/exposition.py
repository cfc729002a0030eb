"""Metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from amarktai.services.metrics import METRICS, Readings

EXPOSITION: Final = CONTENT_TYPE_PLAIN_0_0_4
METRICS_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}
}
_PREFIX: Final = "amarktai_"


class _Collected(Collector):
    """The readings of one moment. Each request has a registry of its own: nothing is kept in between."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for metric in METRICS:
            family = GaugeMetricFamily(_PREFIX + metric.name, metric.told, labels=metric.labels)
            for sample in self._readings.samples.get(metric.name, ()):
                family.add_metric(sample.labels, sample.value)
            yield family


def exposition(readings: Readings) -> str:
    """Return the readings in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collected(readings))
    return generate_latest(registry).decode()

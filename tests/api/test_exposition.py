"""Metrics over HTTP, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import World

METRICS = "/api/system/metrics"


async def test_an_admin_reads_them_and_nobody_else(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    assert (await trader.get(METRICS)).status_code == 403
    answer = await admin.get(METRICS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    (size,) = families["amarktai_database_bytes"].samples
    assert size.value > 1_000_000
    users = {sample.labels["user"] for sample in families["amarktai_orders_in_doubt"].samples}
    assert len(users) == 2
    assert "example.org" not in answer.text


async def test_a_program_reads_them_with_an_admins_token_and_no_traders(world: World) -> None:
    admin = await world.set_up()
    trader = await world.join(admin, "bo@example.org")
    for owner, status in ((admin, 200), (trader, 403)):
        made = await owner.post("/api/tokens", json={"name": "prometheus", "scopes": ["read"]})
        assert made.status_code < 300, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        assert (await world.client().get(METRICS, headers=headers)).status_code == status


async def test_what_was_never_measured_has_a_name_and_no_value(world: World) -> None:
    admin = await world.set_up()
    text = (await admin.get(METRICS)).text
    assert "# TYPE amarktai_backup_age_seconds gauge" in text
    assert "\namarktai_backup_age_seconds " not in text

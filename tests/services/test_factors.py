"""The second factor: enrolment, codes that count once, recovery, fresh proof, and the way back in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pyotp
import pytest

from amarktai.domain.errors import Conflict, Forbidden, NotFound, RateLimited, Unauthenticated
from amarktai.domain.user import Identity
from amarktai.services.sessions import Client
from amarktai.storage.embedded import DatabaseUrls
from amarktai.system.key_ring import VariableKeyRing
from tests.key_rings import key_text
from tests.services.secret_desk import PASSWORD, SecretDesk, secret_desk

HERE = Client("127.0.0.1", "test")


@pytest.fixture
async def desk(database_urls: DatabaseUrls) -> AsyncIterator[SecretDesk]:
    async with secret_desk(database_urls, VariableKeyRing(key_text("factors"))) as opened:
        yield opened


def code_now(desk: SecretDesk, secret: str, steps: int = 0) -> str:
    """Return what an authenticator app shows, by its own reckoning."""
    return pyotp.TOTP(secret).at(desk.clock.now_ns() // 1_000_000_000 + 30 * steps)


async def enrol(desk: SecretDesk, who: Identity) -> tuple[str, list[str]]:
    enrolment = await desk.accounts.factors.begin(who)
    codes = await desk.accounts.factors.confirm(who, code_now(desk, enrolment.secret))
    desk.clock.advance(60)
    return enrolment.secret, codes


async def sign_in(desk: SecretDesk, code: str | None) -> None:
    await desk.accounts.sessions.sign_in("ada@example.org", PASSWORD, HERE, code)


async def test_enrolment_shows_seed_address_and_picture_and_counts_from_the_first_code(
    desk: SecretDesk,
) -> None:
    who = await desk.join("ada@example.org")
    enrolment = await desk.accounts.factors.begin(who)
    assert pyotp.parse_uri(enrolment.uri).secret == enrolment.secret
    assert "issuer=Amarktai" in enrolment.uri and "ada%40example.org" in enrolment.uri
    assert enrolment.svg.startswith("<svg") and 'xmlns="http://www.w3.org/2000/svg"' in enrolment.svg
    assert "<style" not in enrolment.svg and "script" not in enrolment.svg
    await sign_in(desk, None)  # not confirmed, so it does not count
    assert (await desk.accounts.factors.status(who))["totp_enabled"] is False
    codes = await desk.accounts.factors.confirm(who, code_now(desk, enrolment.secret))
    assert len(set(codes)) == 10 and all(len(code) == 19 for code in codes)
    status = await desk.accounts.factors.status(who)
    assert (status["totp_enabled"], status["recovery_codes_left"]) == (True, 10)
    with pytest.raises(Conflict, match="on already"):
        await desk.accounts.factors.begin(who)


async def test_a_wrong_first_code_switches_nothing_on(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    with pytest.raises(Conflict, match="nothing to confirm"):
        await desk.accounts.factors.confirm(who, "123456")
    await desk.accounts.factors.begin(who)
    with pytest.raises(Forbidden, match="wrong"):
        await desk.accounts.factors.confirm(who, "abc")
    await sign_in(desk, None)


async def test_signing_in_asks_for_a_code_and_takes_each_once(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    secret, _ = await enrol(desk, who)
    with pytest.raises(Unauthenticated) as needed:
        await sign_in(desk, None)
    assert needed.value.code == "SECOND_FACTOR_NEEDED"
    code = code_now(desk, secret)
    await sign_in(desk, f" {code[:3]} {code[3:]} ")
    with pytest.raises(Unauthenticated) as used:
        await sign_in(desk, code)
    assert used.value.code == "SECOND_FACTOR_USED"
    desk.clock.advance(30)
    with pytest.raises(Unauthenticated):
        await sign_in(desk, code)  # still within its time, but used
    await sign_in(desk, code_now(desk, secret))


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, False)])
async def test_a_code_counts_for_its_half_minute_and_the_next(
    desk: SecretDesk, steps: int, fits: bool
) -> None:
    who = await desk.join("ada@example.org")
    secret, _ = await enrol(desk, who)
    desk.clock.advance(300)
    code = code_now(desk, secret, steps)
    if fits:
        await sign_in(desk, code)
    else:
        with pytest.raises(Unauthenticated, match="wrong"):
            await sign_in(desk, code)


async def test_the_password_alone_is_no_way_around_and_a_wrong_one_tells_nothing(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    secret, _ = await enrol(desk, who)
    with pytest.raises(Unauthenticated) as wrong:
        await desk.accounts.sessions.sign_in("ada@example.org", "not this one", HERE, code_now(desk, secret))
    assert wrong.value.code == "LOGIN_FAILED"
    await sign_in(desk, code_now(desk, secret))  # the code was not used up by that


async def test_recovery_codes_work_once_each_and_are_stored_as_hashes(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    _, codes = await enrol(desk, who)
    await sign_in(desk, codes[3].upper().replace("-", " "))
    with pytest.raises(Unauthenticated):
        await sign_in(desk, codes[3])
    assert (await desk.accounts.factors.status(who))["recovery_codes_left"] == 9
    renewed = await desk.accounts.factors.renew_codes(who)
    with pytest.raises(Unauthenticated):
        await sign_in(desk, codes[4])
    await sign_in(desk, renewed[4])


async def test_guessing_codes_is_slowed(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await enrol(desk, who)
    tried = 0
    with pytest.raises(RateLimited):
        for tried in range(20):
            with pytest.raises(Unauthenticated):
                await sign_in(desk, f"{tried:06}")
    assert tried <= 6
    with pytest.raises(RateLimited):
        for _ in range(20):
            with pytest.raises(Forbidden):
                await desk.accounts.factors.step_up(who, password=None, code="000000")


async def test_fresh_proof_is_the_code_where_there_is_one_and_else_the_password(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    factors = desk.accounts.factors
    factors.require_fresh(who)
    desk.clock.advance(301)
    with pytest.raises(Forbidden) as stale:
        factors.require_fresh(who)
    assert stale.value.code == "STEP_UP_NEEDED"
    with pytest.raises(Forbidden, match="password is wrong"):
        await factors.step_up(who, password="not this one", code=None)
    until = await factors.step_up(who, password=PASSWORD, code=None)
    assert (until.timestamp() - desk.clock.now_ns() / 1e9) == pytest.approx(300)
    secret, _ = await enrol(desk, who)
    with pytest.raises(Forbidden) as needed:
        await factors.step_up(who, password=PASSWORD, code=None)
    assert needed.value.code == "SECOND_FACTOR_NEEDED"
    await factors.step_up(who, password=None, code=code_now(desk, secret))


async def test_a_lost_factor_is_reset_from_the_machine_and_ends_the_sessions(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    with pytest.raises(Conflict, match="no second factor"):
        await desk.accounts.factors.reset("ada@example.org")
    await enrol(desk, who)
    with pytest.raises(NotFound, match="Nobody has"):
        await desk.accounts.factors.reset("eve@example.org")
    await desk.accounts.factors.reset(" Ada@Example.org")
    with pytest.raises(Unauthenticated):
        await desk.accounts.sessions.check(who)
    await sign_in(desk, None)


async def test_switching_off_needs_one_to_be_on(desk: SecretDesk) -> None:
    who = await desk.join("ada@example.org")
    await enrol(desk, who)
    await desk.accounts.factors.disable(who)
    await sign_in(desk, None)
    with pytest.raises(Conflict, match="no second factor"):
        await desk.accounts.factors.disable(who)
    with pytest.raises(Conflict, match="no second factor"):
        await desk.accounts.factors.renew_codes(who)


async def test_two_who_use_one_code_at_once_are_one(desk: SecretDesk) -> None:
    import asyncio

    who = await desk.join("ada@example.org")
    secret, _ = await enrol(desk, who)
    code = code_now(desk, secret)
    done = await asyncio.gather(*(sign_in(desk, code) for _ in range(3)), return_exceptions=True)
    assert done.count(None) == 1

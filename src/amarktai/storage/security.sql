-- Row-level security, append-only ledger and grants. Runs as the owner after the tables exist.
-- Tenancy: the application sets app.tenant with SET LOCAL in each transaction; unset means no row.

CREATE FUNCTION amarktai_tenant() RETURNS uuid LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('app.tenant', true), '')::uuid $$;

DO $$
DECLARE name text;
BEGIN
  FOR name IN
    SELECT c.table_name FROM information_schema.columns c
    WHERE c.table_schema = 'public' AND c.column_name = 'user_id'
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY tenant ON %I USING (user_id = amarktai_tenant()) WITH CHECK (user_id = amarktai_tenant())',
      name);
  END LOOP;
END $$;

-- L1: every entry balances in each asset it touches. All postings of an entry come in one statement.
CREATE FUNCTION ledger_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
  SELECT entry_id, asset, sum(amount) AS difference INTO bad
  FROM added GROUP BY entry_id, asset HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger entry % does not balance: % is off by %', bad.entry_id, bad.asset, bad.difference
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT a.entry_id INTO bad FROM (SELECT entry_id, count(*) AS n FROM added GROUP BY entry_id) a
  WHERE a.n <> (SELECT count(*) FROM ledger_postings p WHERE p.entry_id = a.entry_id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger entry % is posted already and cannot grow', bad.entry_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER balanced AFTER INSERT ON ledger_postings
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_balanced();

-- L2: what is recorded is never changed, by nobody.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: correct it with a new row', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ledger_entries', 'ledger_postings', 'fills', 'order_events', 'audit_log'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  END LOOP;
END $$;

-- Events wake the relay at commit.
CREATE FUNCTION wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('amarktai_outbox', user_id::text) FROM (SELECT DISTINCT user_id FROM added) users;
  RETURN NULL;
END $$;

CREATE TRIGGER wake_relay AFTER INSERT ON outbox
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION wake_relay();

-- Grants. The roles exist already (see roles in docs/security.md).
GRANT USAGE ON SCHEMA public TO app, auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
REVOKE UPDATE, DELETE ON ledger_entries, ledger_postings, fills, order_events, audit_log FROM app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor;
REVOKE SELECT (password_hash) ON users FROM auditor;

INSERT INTO assets (code, scale, display_scale) VALUES
  ('ZAR', 8, 2), ('USD', 8, 2), ('EUR', 8, 2), ('GBP', 8, 2), ('USDT', 8, 2), ('USDC', 8, 2)
ON CONFLICT DO NOTHING;
INSERT INTO system_mode (singleton, mode, updated_at, updated_by) VALUES (true, 'paper', now(), 'system')
ON CONFLICT DO NOTHING;

"""What the database itself refuses, whoever asks. See the package's docstring."""

from __future__ import annotations

from django.db import migrations

BALANCES_FOLLOW_ENTRIES = """
CREATE FUNCTION ledger_entry_moves_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A floor that staff lowered rises again with the balance, up to zero.
    UPDATE ledger_account
       SET balance = balance + NEW.amount,
           floor = greatest(floor, least(0, balance + NEW.amount))
     WHERE id = NEW.account_id AND balance IS NOT NULL
    RETURNING balance INTO NEW.balance_after;
    IF FOUND THEN
        -- Numbered under the account's lock, so that entries sort as their balances came about.
        NEW.id := nextval('ledger_entry_id_seq');
    ELSIF NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.account_id) THEN
        RAISE EXCEPTION 'there is no ledger account %', NEW.account_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_moves_balance BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_moves_balance();

CREATE FUNCTION ledger_balance_is_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a balance is posted to, never assigned (ledger account %)', OLD.code
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER balance_is_posted BEFORE UPDATE ON ledger_account
    FOR EACH ROW WHEN (OLD.balance IS DISTINCT FROM NEW.balance)
    EXECUTE FUNCTION ledger_balance_is_posted();

CREATE FUNCTION ledger_account_opens_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account opens with nothing in it (%)', NEW.code
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER account_opens_empty BEFORE INSERT ON ledger_account
    FOR EACH ROW WHEN (NEW.balance <> 0) EXECUTE FUNCTION ledger_account_opens_empty();
"""

SUMS_TO_ZERO = """
CREATE FUNCTION ledger_check_sum(wanted uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
    entries integer;
BEGIN
    SELECT count(*) INTO entries FROM ledger_entry WHERE transaction_id = wanted;
    IF entries < 2 THEN
        RAISE EXCEPTION 'ledger transaction % has % entries', wanted, entries
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    SELECT a.unit, sum(e.amount) AS total INTO wrong
      FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
     WHERE e.transaction_id = wanted GROUP BY a.unit HAVING sum(e.amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger transaction % is off by % %', wanted, wrong.total, wrong.unit
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END $$;

CREATE FUNCTION ledger_transaction_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_check_sum(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transaction_sums_to_zero AFTER INSERT ON ledger_transaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_sums_to_zero();

-- Entries that come in the transaction's own database transaction are checked by the trigger
-- above. Others, added to an old one, are checked here.
CREATE FUNCTION ledger_late_entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM ledger_transaction
         WHERE id = NEW.transaction_id AND xmin = pg_current_xact_id()::xid
    ) THEN
        PERFORM ledger_check_sum(NEW.transaction_id);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late_entry_sums_to_zero AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_late_entry_sums_to_zero();
"""

APPEND_ONLY = """
CREATE FUNCTION markethall_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION markethall_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION markethall_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_transaction
    EXECUTE FUNCTION markethall_append_only();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON ledger_entry
    EXECUTE FUNCTION markethall_append_only();
CREATE FUNCTION ledger_hold_settles_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger hold % is settled', OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER hold_settles_once BEFORE UPDATE ON ledger_hold
    FOR EACH ROW WHEN (OLD.state <> 'held') EXECUTE FUNCTION ledger_hold_settles_once();
"""


class Migration(migrations.Migration):
    dependencies = (("ledger", "0001_initial"),)
    operations = (
        migrations.RunSQL(BALANCES_FOLLOW_ENTRIES, migrations.RunSQL.noop),
        migrations.RunSQL(SUMS_TO_ZERO, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    )

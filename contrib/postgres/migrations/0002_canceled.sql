-- The state was spelled 'cancelled'. Rows of the table keep their meaning; records are spelled by whoever encoded them.
DROP INDEX stytch_rotation_active;
ALTER TABLE stytch_rotation DROP CONSTRAINT stytch_rotation_state_check;
UPDATE stytch_rotation SET state = 'canceled' WHERE state = 'cancelled';
ALTER TABLE stytch_rotation ADD CONSTRAINT stytch_rotation_state_check
    CHECK (state IN ('claimed', 'planned', 'starting', 'started', 'delivered', 'verified', 'grace', 'completing',
        'completed', 'canceled', 'needs-human'));
CREATE UNIQUE INDEX stytch_rotation_active ON stytch_rotation (project, client_id)
    WHERE state NOT IN ('completed', 'canceled');

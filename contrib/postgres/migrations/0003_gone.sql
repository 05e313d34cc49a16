-- A rotation may also end as gone. Which states are final is shown by finished alone from now on.
DROP INDEX stytch_rotation_active;
ALTER TABLE stytch_rotation DROP CONSTRAINT stytch_rotation_state_check;
ALTER TABLE stytch_rotation ADD CONSTRAINT stytch_rotation_state_check
    CHECK (state IN ('claimed', 'planned', 'starting', 'started', 'delivered', 'verified', 'grace', 'completing',
        'completed', 'canceled', 'gone', 'needs-human'));
CREATE UNIQUE INDEX stytch_rotation_active ON stytch_rotation (project, client_id)
    WHERE finished IS NULL;

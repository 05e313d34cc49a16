-- Spell the state of canceled rotations as the code does. Stored records keep the spelling of their version.
DROP INDEX stytch_rotation_active;
ALTER TABLE stytch_rotation DROP CONSTRAINT stytch_rotation_state_check;
UPDATE stytch_rotation SET state = 'canceled' WHERE state = 'cancelled';
ALTER TABLE stytch_rotation ADD CONSTRAINT stytch_rotation_state_check
    CHECK (state IN ('claimed', 'planned', 'starting', 'started', 'delivered', 'verified', 'grace', 'completing',
        'completed', 'canceled', 'needs-human'));
CREATE UNIQUE INDEX stytch_rotation_active ON stytch_rotation (project, client_id)
    WHERE state NOT IN ('completed', 'canceled');

-- What Purge looks for.
CREATE INDEX stytch_rotation_finished ON stytch_rotation (project, updated_at) WHERE finished IS NOT NULL;

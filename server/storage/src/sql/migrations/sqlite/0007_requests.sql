-- Before a request is refused, whatever attempt of it is still open is closed; there is rarely one.
CREATE INDEX idx_commit_intents_request ON commit_intents (request_key) WHERE status = 'open';

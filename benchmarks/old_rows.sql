-- One chunk of old rows, from the view old_moment that old_rows.py makes: seq, at, young, and of a key moment and tail.
-- A key is a UUIDv7: the milliseconds of the row's time, a digit for the table, and seq in the end.
INSERT INTO inbox_inboxevent
    (id, provider, account, event_id, event_type, state, reason, raw_body, body_kept, trace_id, received_at)
SELECT CONCAT(INSERT(moment, 9, 0, '-'), '-7001-8000-', tail), 'stripe', '', CONCAT('evt_old', seq),
    'payment_intent.succeeded', 'sent', '', IF(young, REPEAT('x', 1200), NULL), young, MD5(seq), at
FROM old_moment;
INSERT INTO deliveries_dispatch
    (id, `signal`, dedupe_key, payload, sender, subject, person, origin, unrouted, map_hash, trace_id, span_id,
    created_at, attempt_id, event_id, parent_id)
SELECT CONCAT(INSERT(moment, 9, 0, '-'), '-7002-8000-', tail),
    'commerce_coordinator.plugins.stripe.signals.payment_captured', CONCAT('stripe::pi_old', seq),
    CONCAT('{"order_number": "OLD-', seq, '", "lines": "', REPEAT('x', 400), '"}'),
    'commerce_coordinator.plugins.stripe.webhooks.StripeWebhookView', CONCAT('OLD-', seq), seq % 100000, 'web', 0,
    '0123456789abcdef', MD5(seq), LEFT(MD5(seq), 16), at, NULL, CONCAT(INSERT(moment, 9, 0, '-'), '-7001-8000-', tail),
    NULL
FROM old_moment;
INSERT INTO deliveries_delivery
    (id, receiver, kind, state, generation, attempts, idempotency_key, next_attempt_at, wake_at, wakes, claim_id,
    claimed_at, lease_until, worker, error_class, error_text, created_at, settled_at, dispatch_id)
SELECT CONCAT(INSERT(moment, 9, 0, '-'), '-7003-8000-', tail), 'benchmarks.receivers.receiver_0', 'task',
    'succeeded', 0, 1, MD5(seq), at, NULL, 0, CONCAT(INSERT(moment, 9, 0, '-'), '-7004-8000-', tail), at, NULL,
    'machine:1', '', '', at, at, CONCAT(INSERT(moment, 9, 0, '-'), '-7002-8000-', tail)
FROM old_moment;
INSERT INTO deliveries_attempt
    (id, generation, number, outcome, worker, error_class, error_text, calls, span_id, started_at, ended_at,
    delivery_id)
SELECT CONCAT(INSERT(moment, 9, 0, '-'), '-7004-8000-', tail), 0, 1, 'succeeded', 'machine:1', '', '',
    '[{"method": "GET", "url": "/api/enrollment", "status": 200, "ms": 20}]', LEFT(MD5(seq), 16), at, at,
    CONCAT(INSERT(moment, 9, 0, '-'), '-7003-8000-', tail)
FROM old_moment;

use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::AuditEvent;

suite!(the_newest_events_come_first);

async fn the_newest_events_come_first(store: &TestStore) {
    let user = a_user(store).await;
    let event = |action, subject: &str, micros| AuditEvent {
        action,
        actor: Some(user),
        subject: subject.to_owned(),
        ip: "::1".to_owned(),
        at: at(micros),
    };
    for event in [
        event("user_deactivated", "first", 1),
        event("refresh_token_replayed", "third", 3),
        AuditEvent { actor: None, ..event("user_deactivated", "second", 2) },
    ] {
        store.relational.audit.record(&event).await.unwrap();
    }
    let newest = store.relational.audit.newest(2).await.unwrap();
    let expected = [
        ("refresh_token_replayed".to_owned(), "third".to_owned(), at(3)),
        ("user_deactivated".to_owned(), "second".to_owned(), at(2)),
    ];
    assert_eq!(newest, expected);
}

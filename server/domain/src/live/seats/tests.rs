use super::*;
use crate::storage::{LocalBus, NodeId};
use futures::FutureExt as _;
use izanagi_shared::{id::DocumentId, permission::Standing};
use rstest::rstest;
use uuid::Uuid;

const ANN: ActorId = ActorId(Uuid::from_u128(2));
const BEN: ActorId = ActorId(Uuid::from_u128(3));
const LIMITS: SeatLimits = SeatLimits { seats: 3, messages: 8, bytes: 1_000 };

fn sitter(actor: ActorId) -> Sitter {
    Sitter { actor: Some(actor), sees_others: true }
}

fn seats() -> Arc<Seats> {
    with(LIMITS)
}

fn with(limits: SeatLimits) -> Arc<Seats> {
    let (bus, document) = (Arc::new(LocalBus::default()), DocumentId(Uuid::nil()));
    let abroad = Abroad { bus, node: NodeId(Uuid::nil()), document, presence_bytes: 1_000 };
    Seats::new(limits, abroad)
}

/// What is queued for a seat now.
fn taken(seat: &mut Seat) -> Vec<SeatEvent> {
    let mut events = Vec::new();
    let _ = seat.events(&mut events).now_or_never();
    events
}

fn state(client: u64, clock: u32, state: Option<&str>) -> PresenceUpdate {
    PresenceUpdate::new(client, clock, state.map(Into::into))
}

/// Client, clock and state of each presence among the events.
fn presence(events: &[SeatEvent]) -> Vec<(u64, u32, Option<&str>)> {
    fn of(event: &SeatEvent) -> Option<(u64, u32, Option<&str>)> {
        match event {
            SeatEvent::Presence(it) => Some((it.client, it.clock, it.state.as_deref())),
            _ => None,
        }
    }
    events.iter().filter_map(of).collect()
}

fn seqs(events: &[SeatEvent]) -> Vec<u64> {
    let of = |event: &SeatEvent| match event {
        SeatEvent::Update(update) => Some(update.seq),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

fn closing(events: &[SeatEvent]) -> Option<Closing> {
    match events.last() {
        Some(SeatEvent::Closed(why)) => Some(*why),
        _ => None,
    }
}

fn send(seats: &Seats, seq: u64, bytes: usize, except: Option<SeatId>) {
    let update = seats.update(seq, ANN, vec![0; bytes].into());
    seats.broadcast(&update, except);
}

#[test]
fn everybody_but_the_sender_is_told_of_an_update() {
    let seats = seats();
    let (mut ann, mut ben) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    send(&seats, 1, 10, Some(ann.id()));
    send(&seats, 2, 10, None);
    assert_eq!(seqs(&taken(&mut ann)), [2]);
    assert_eq!(seqs(&taken(&mut ben)), [1, 2]);
    assert!(taken(&mut ben).is_empty());
}

#[test]
fn a_frame_is_encoded_once() {
    let seats = seats();
    let update = seats.update(1, ANN, vec![1, 2].into());
    let first = update.yjs(|update| update.delta.clone());
    assert_eq!(update.yjs(|_| unreachable!()), first);
    assert_eq!(update.json(|_| Bytes::from_static(b"{}")), "{}");
}

#[test]
fn a_seat_that_takes_nothing_is_closed_and_the_others_stay() {
    let seats = seats();
    let (mut slow, mut ben) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    for seq in 1..=LIMITS.messages as u64 {
        send(&seats, seq, 1, None);
        assert_eq!(seqs(&taken(&mut ben)), [seq]);
    }
    send(&seats, 9, 1, None);
    let events = taken(&mut slow);
    assert_eq!((closing(&events), events.len()), (Some(Closing::TooSlow), 1));
    assert_eq!(seqs(&taken(&mut ben)), [9]);
    assert_eq!(seats.taken(), 1);
    // It is not told anything any more.
    send(&seats, 10, 1, None);
    assert_eq!(taken(&mut slow).len(), 1);
}

#[test]
fn one_update_of_any_size_is_delivered_but_bytes_do_not_pile_up() {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    send(&seats, 1, 50_000, None);
    assert_eq!(seqs(&taken(&mut ann)), [1]);
    send(&seats, 2, 50_000, None);
    send(&seats, 3, 1, None);
    assert_eq!(closing(&taken(&mut ann)), Some(Closing::TooSlow));
}

#[test]
fn queued_updates_count_once_until_they_are_dropped() {
    let seats = seats();
    let mut all: Vec<Seat> = (0..3).map(|_| seats.join(sitter(ANN)).unwrap()).collect();
    let before = seats.memory();
    send(&seats, 1, 500_000, None);
    let grown = seats.memory() - before;
    assert!((500_000..510_000).contains(&grown), "{grown}");
    let mut events = Vec::new();
    all.iter_mut().for_each(|seat| events.extend(taken(seat)));
    assert!(seats.memory() >= before + 500_000, "it is being sent");
    drop(events);
    assert!(seats.memory() < before + 10_000);
    drop(all);
    assert!(seats.memory() < before);
}

#[test]
fn only_the_newest_state_of_a_client_is_sent() {
    let seats = seats();
    let (mut ann, mut ben) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    for clock in 1..=10_000 {
        seats.present(ann.id(), state(7, clock, Some("{}")));
    }
    seats.present(ann.id(), state(7, 9, Some("old")));
    seats.present(ann.id(), state(7, 10_000, Some("the same clock")));
    assert_eq!(presence(&taken(&mut ben)), [(7, 10_000, Some("{}"))]);
    // Its sender is told, too.
    assert_eq!(presence(&taken(&mut ann)), [(7, 10_000, Some("{}"))]);
    assert!(seats.memory() < 3 * SEAT_BYTES + 1_000);
    seats.present(ann.id(), state(7, 10_000, None));
    assert_eq!(presence(&taken(&mut ben)), [(7, 10_000, None)]);
}

#[test]
fn a_newcomer_is_told_who_is_there() {
    let seats = seats();
    let ann = seats.join(sitter(ANN)).unwrap();
    seats.present(ann.id(), state(7, 1, Some("Ann")));
    let mut ben = seats.join(sitter(BEN)).unwrap();
    assert_eq!(presence(&taken(&mut ben)), [(7, 1, Some("Ann"))]);
    let unseeing = Sitter { actor: None, sees_others: false };
    assert!(taken(&mut seats.join(unseeing).unwrap()).is_empty());
}

#[test]
fn who_leaves_is_gone_and_does_not_come_back_as_an_echo() {
    let seats = seats();
    let (ann, mut ben) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    seats.present(ann.id(), state(7, 5, Some("Ann")));
    assert_eq!(presence(&taken(&mut ben)), [(7, 5, Some("Ann"))]);
    drop(ann);
    assert_eq!(presence(&taken(&mut ben)), [(7, 5, None)]);
    let mut others = seats.join(sitter(BEN)).unwrap();
    seats.present(ben.id(), state(7, 5, Some("Ann")));
    assert!(taken(&mut others).is_empty());
    // Only who says so is told, because it may be Ann on a new connection.
    assert_eq!(presence(&taken(&mut ben)), [(7, 5, None)]);
    seats.present(ben.id(), state(7, 5, None));
    assert!(taken(&mut ben).is_empty());
    drop(others);
    // With its next state it is there again, as after an interruption.
    let ann = seats.join(sitter(ANN)).unwrap();
    seats.present(ann.id(), state(7, 6, Some("Ann")));
    assert_eq!(presence(&taken(&mut ben)), [(7, 6, Some("Ann"))]);
}

#[test]
fn a_client_belongs_to_its_seat() {
    let seats = seats();
    let (ann, mut ben) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    seats.present(ann.id(), state(7, 1, Some("Ann")));
    taken(&mut ben);
    seats.present(ben.id(), state(7, 2, Some("Ben as Ann")));
    seats.present(ben.id(), state(7, 1, None));
    assert!(taken(&mut ben).is_empty());
    // The same person on another seat: the first connection may be dead.
    let again = seats.join(sitter(ANN)).unwrap();
    seats.present(again.id(), state(7, 1, Some("an echo")));
    assert!(taken(&mut ben).is_empty());
    seats.present(again.id(), state(7, 2, Some("Ann again")));
    assert_eq!(presence(&taken(&mut ben)), [(7, 2, Some("Ann again"))]);
    drop(ann);
    assert!(taken(&mut ben).is_empty());
    drop(again);
    assert_eq!(presence(&taken(&mut ben)), [(7, 2, None)]);
}

#[test]
fn a_seat_presents_few_clients() {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    for client in 0..1_000 {
        seats.present(ann.id(), state(client, 1, Some("{}")));
    }
    assert_eq!(presence(&taken(&mut ann)).len(), 16);
    // Neither are those remembered without a bound that have left.
    for client in 0..10_000 {
        seats.present(ann.id(), state(client, 2, Some("{}")));
        seats.present(ann.id(), state(client, 2, None));
    }
    assert!(seats.memory() < 300_000, "{}", seats.memory());
}

#[test]
fn a_slow_reader_gets_the_text_before_presence() {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    seats.present(ann.id(), state(7, 1, Some("{}")));
    (1..=7).for_each(|seq| send(&seats, seq, 1, None));
    let first = taken(&mut ann);
    assert_eq!((seqs(&first).len(), presence(&first).len()), (7, 0));
    assert_eq!(presence(&taken(&mut ann)).len(), 1);
}

#[test]
fn a_room_with_seats_is_not_closed() {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    assert!(!seats.close_if_free());
    let (_two, _three) = (seats.join(sitter(ANN)).unwrap(), seats.join(sitter(BEN)).unwrap());
    assert_eq!(seats.join(sitter(BEN)).err(), Some(NoSeat::Full));
    seats.dismiss(Closing::Resync);
    assert_eq!(closing(&taken(&mut ann)), Some(Closing::Resync));
    // Those that are closed and have not left yet do not count.
    assert!(seats.join(sitter(BEN)).is_ok());
    assert!(seats.close_if_free());
    assert_eq!(seats.join(sitter(BEN)).err(), Some(NoSeat::Closed));
}

#[rstest]
#[case::told_why(Closing::Trashed, 2)]
#[case::told_nothing_more(Closing::Forbidden, 1)]
fn the_last_event_says_why_it_is_over(#[case] why: Closing, #[case] count: usize) {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    send(&seats, 1, 1, None);
    let event = DocumentEvent {
        title: "Plan".to_owned(),
        head_version: 0,
        is_public: false,
        published_version: None,
        deleted_at: None,
        standing: Standing::Owner,
        news: None,
    };
    seats.tell(ann.id(), Arc::new(event));
    seats.close_seat(ann.id(), why);
    seats.close(Closing::GoingAway);
    let events = taken(&mut ann);
    assert_eq!((closing(&events), events.len()), (Some(why), count));
}

#[tokio::test(start_paused = true)]
async fn an_event_wakes_its_seat_and_cancelling_loses_nothing() {
    let seats = seats();
    let mut ann = seats.join(sitter(ANN)).unwrap();
    let mut events = Vec::new();
    assert!(ann.events(&mut events).now_or_never().is_none());
    send(&seats, 1, 1, None);
    let wait = tokio::time::timeout(std::time::Duration::from_secs(1), ann.events(&mut events));
    wait.await.unwrap();
    assert_eq!(seqs(&events), [1]);
}

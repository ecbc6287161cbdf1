//! Two nodes over one database: with a bus between them, without one, and with one that loses, doubles
//! and reorders events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "nodes/between.rs"]
mod between;
#[path = "support/mod.rs"]
mod support;
#[path = "connections/wire.rs"]
mod wire;

use between::{Between, Nodes};
use futures::{FutureExt as _, future::join_all};
use izanagi_domain::{
    documents::{IfMatch, LiveConnection},
    error::Error,
    live::{Closing, PresenceUpdate, SeatEvent},
    storage::{BusEvent, ClientPresence, NodeId, NodePresence},
};
use izanagi_shared::crdt::TextDoc;
use rstest::rstest;
use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use support::{World, insert, random_client};
use uuid::Uuid;
use wire::Wire;

/// Virtual time that passes at once.
const STEP: Duration = Duration::from_millis(500);

/// Keeps a paused clock from moving by itself while a test waits for the database.
struct StoppedClock(#[allow(dead_code)] mpsc::Sender<()>);

fn stop_clock() -> StoppedClock {
    let (sender, receiver) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || {
        let _ = receiver.recv();
    });
    StoppedClock(sender)
}

/// Lets virtual time pass, and gives the tasks some real time to do what is due then.
async fn pass(time: Duration) {
    tokio::time::advance(time).await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(40) {
        tokio::task::yield_now().await;
    }
}

/// A client that types at one node.
struct Client {
    connection: LiveConnection,
    replica: TextDoc,
}

impl Client {
    async fn at(nodes: &Nodes, world: &World) -> Self {
        let connection = nodes.connect(world).await;
        let missing = connection.poster().missing(vec![0]).await.unwrap();
        let replica = TextDoc::load(random_client(), &missing.delta).unwrap();
        Self { connection, replica }
    }

    async fn type_text(&mut self, text: &str) -> u64 {
        let delta = self.replica.edit(&[insert(0, text)]);
        let posted = self.connection.poster().post(None, delta).await.unwrap();
        posted.await.unwrap().seq
    }

    /// Waits for events and takes the updates in.
    async fn listen(&mut self) {
        let mut events = Vec::new();
        wire::within_patience(self.connection.events(&mut events)).await;
        self.take_in(events);
    }

    fn take_in(&mut self, events: Vec<SeatEvent>) {
        for event in events {
            match event {
                SeatEvent::Update(update) => self.replica.apply(&update.delta).unwrap(),
                SeatEvent::Closed(why) => panic!("closed: {why:?}"),
                SeatEvent::Presence(_) | SeatEvent::Document(_) => {}
            }
        }
    }

    /// The text with what is queued now.
    fn text_now(&mut self) -> String {
        let mut events = Vec::new();
        let _ = self.connection.events(&mut events).now_or_never();
        self.take_in(events);
        self.replica.text()
    }

    async fn until(&mut self, is_so: impl Fn(&str) -> bool) {
        while !is_so(&self.replica.text()) {
            self.listen().await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_typed_at_both_nodes_converges(
    #[values(Between::OneBus, Between::NoBus, Between::BadBus, Between::Redis)] between: Between,
) {
    let Some(nodes) = Nodes::try_new(between, "").await else { return };
    let mut clients =
        [Client::at(&nodes, &nodes.here).await, Client::at(&nodes, &nodes.there).await];
    let typing = clients.iter_mut().zip(["a", "b"]).map(|(client, text)| async move {
        let mut seqs = Vec::new();
        for _ in 0..40 {
            seqs.push(client.type_text(text).await);
        }
        client.until(|all| all.len() == 80).await;
        (client.replica.text(), seqs)
    });
    let typed = join_all(typing).await;
    assert_eq!(typed[0].0, typed[1].0);
    // The numbers come from the log: each once, and in the order of each client.
    assert!(typed.iter().all(|(_, seqs)| seqs.is_sorted()));
    let mut seqs: Vec<u64> = typed.iter().flat_map(|(_, seqs)| seqs.clone()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=80).collect::<Vec<u64>>());
    for world in nodes.both() {
        assert_eq!(world.text(nodes.id).await, typed[0].0);
    }
    drop(clients);
    nodes.here.fsck_is_clean().await;
}

#[rstest]
#[tokio::test]
async fn an_edit_is_shown_at_once_with_a_bus(
    #[values(Between::OneBus, Between::Redis)] between: Between,
) {
    let Some(nodes) = Nodes::try_new(between, "").await else { return };
    let mut times = Vec::new();
    let mut ann = Client::at(&nodes, &nodes.here).await;
    let mut ben = Client::at(&nodes, &nodes.there).await;
    for number in 1..=50 {
        let begun = Instant::now();
        ann.type_text("x").await;
        ben.until(|text| text.len() == number).await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!("shown after {:?} (median), {:?} (95 %)", times[25], times[47]);
    assert!(times[47] < Duration::from_secs(1), "it came by looking at the log: {times:?}");
}

#[rstest]
#[tokio::test]
async fn a_node_answers_with_what_another_has_acknowledged(
    #[values(Between::OneBus, Between::NoBus, Between::BadBus)] between: Between,
) {
    let nodes = Nodes::new(between, "").await;
    // Both have a room that is open.
    let _seats = (nodes.connect(&nodes.here).await, nodes.connect(&nodes.there).await);
    let mut text = String::new();
    for number in 0..20 {
        let (writer, reader) = match number % 2 {
            0 => (&nodes.here, &nodes.there),
            _ => (&nodes.there, &nodes.here),
        };
        text.push_str(&format!("{number} "));
        writer.write(nodes.id, &text).await;
        assert_eq!(reader.text(nodes.id).await, text);
        assert_eq!(reader.replica(nodes.id).await.text(), text);
    }
    nodes.there.commit(nodes.id, "all").await.unwrap();
    assert_eq!(nodes.here.content(nodes.id, 1).await, text);
}

/// Each client says which text it has seen; of two that have seen the same, one wins.
#[rstest]
#[tokio::test]
async fn preconditions_are_decided_by_the_log(
    #[values(Between::OneBus, Between::NoBus, Between::BadBus)] between: Between,
) {
    let nodes = Nodes::new(between, "0").await;
    let _seats = (nodes.connect(&nodes.here).await, nodes.connect(&nodes.there).await);
    for round in 0..20 {
        let seen = nodes.here.text(nodes.id).await;
        let hash = izanagi_domain::hash::sha256(&seen);
        let replacing = nodes.both().map(|world| {
            let content = format!("{round} of {:p}", world);
            async move {
                let editor = world.editor(nodes.id).await;
                let documents = &world.services.documents;
                let if_match = IfMatch::Hashes(vec![hash]);
                let replaced = documents.replace(&editor, content.clone(), None, if_match).await;
                (content, replaced)
            }
        });
        let replaced = join_all(replacing).await;
        let won: Vec<_> = replaced.iter().filter(|(_, replaced)| replaced.is_ok()).collect();
        assert_eq!(won.len(), 1, "{round}: {replaced:?}");
        let lost = replaced.iter().find_map(|(_, replaced)| replaced.as_ref().err()).unwrap();
        let Error::Stale(current) = lost else { panic!("{lost:?}") };
        assert_eq!(current.content, won[0].0, "the loser is told the text of the winner");
        for world in nodes.both() {
            assert_eq!(world.text(nodes.id).await, won[0].0);
        }
    }
}

/// A room that is behind must neither refuse what is right nor believe that there is nothing to do.
#[tokio::test]
async fn a_room_that_is_behind_does_not_decide() {
    let nodes = Nodes::new(Between::NoBus, "old").await;
    let _seat = nodes.connect(&nodes.there).await;
    // The right was read before the other node wrote.
    let editor = nodes.there.editor(nodes.id).await;
    let old = izanagi_domain::hash::sha256("old");
    let new = izanagi_domain::hash::sha256("new");
    nodes.here.write(nodes.id, "new").await;
    let documents = &nodes.there.services.documents;
    let if_match = |hash| IfMatch::Hashes(vec![hash]);
    let refused = documents.replace(&editor, "mine".into(), None, if_match(old)).await;
    assert!(matches!(refused, Err(Error::Stale(_))), "{refused:?}");
    nodes.here.write(nodes.id, "newer").await;
    nodes.here.write(nodes.id, "new").await;
    documents.replace(&editor, "old".into(), None, if_match(new)).await.unwrap();
    assert_eq!(nodes.here.text(nodes.id).await, "old");
    nodes.here.write(nodes.id, "other").await;
    // It believes that this is the text already.
    documents.replace(&editor, "old".into(), None, IfMatch::Any).await.unwrap();
    assert_eq!(nodes.here.text(nodes.id).await, "old");
}

#[tokio::test]
async fn commits_at_both_nodes_get_consecutive_numbers() {
    let nodes = Nodes::new(Between::BadBus, "").await;
    let _seats = (nodes.connect(&nodes.here).await, nodes.connect(&nodes.there).await);
    for round in 1..=10 {
        let world = nodes.both()[round % 2];
        world.write(nodes.id, &"x".repeat(round)).await;
        let version = nodes.both()[(round + 1) % 2].commit(nodes.id, "next").await.unwrap();
        assert_eq!(version.number, round as u64);
        assert_eq!(nodes.here.content(nodes.id, version.number).await, "x".repeat(round));
    }
}

#[rstest]
#[tokio::test]
async fn presence_crosses_nodes(
    #[values(Between::OneBus, Between::BadBus, Between::Redis)] between: Between,
) {
    let Some(nodes) = Nodes::try_new(between, "").await else { return };
    let mut ann = Wire::of(nodes.connect(&nodes.here).await);
    ann.poster.present(PresenceUpdate::new(7, 1, Some("{\"n\":1}".into()))).unwrap();
    // It is told who was there before.
    let mut ben = Wire::of(nodes.connect(&nodes.there).await);
    for clock in 2..30 {
        ann.poster.present(PresenceUpdate::new(7, clock, Some("{\"n\":2}".into()))).unwrap();
        ben.poster.present(PresenceUpdate::new(8, clock, Some("{\"n\":3}".into()))).unwrap();
    }
    ben.presence_of(7).await;
    ann.presence_of(8).await;
    // One that is lost is repaired by the next.
    for clock in 30..40 {
        ann.poster.present(PresenceUpdate::new(7, clock, None)).unwrap();
        ann.poster.present(PresenceUpdate::new(7, clock + 1, Some("{}".into()))).unwrap();
    }
    drop(ann);
    if between != Between::BadBus {
        ben.gone(7).await;
    }
}

/// A node that falls silent takes its clients with it.
#[tokio::test(start_paused = true)]
async fn the_presence_of_a_dead_node_expires() {
    let _clock = stop_clock();
    let nodes = Nodes::new(Between::OneBus, "").await;
    let mut ben = Wire::of(nodes.connect(&nodes.there).await);
    let client = ClientPresence { client: 7, clock: 1, actor: None, state: Some("{}".to_owned()) };
    let (node, document) = (NodeId(Uuid::from_u128(9)), nodes.id);
    let dying = Arc::new(NodePresence { node, document, clients: vec![client] });
    let tell = || nodes.there.stores.bus.publish(BusEvent::Presence(Arc::clone(&dying)));
    // It stays as long as its node tells of it.
    for _ in 0..10 {
        tell();
        pass(Duration::from_secs(10)).await;
        ben.listen_now();
        assert_eq!(ben.has(7), Some(true));
    }
    for _ in 0..4 {
        pass(Duration::from_secs(10)).await;
    }
    ben.listen_now();
    assert_eq!(ben.has(7), Some(false));
    // It was only silent.
    tell();
    pass(STEP).await;
    ben.listen_now();
    assert_eq!(ben.has(7), Some(true));
}

#[rstest]
#[tokio::test]
async fn a_revocation_reaches_sockets_of_the_other_node(
    #[values(Between::OneBus, Between::NoBus, Between::BadBus, Between::Redis)] between: Between,
) {
    let Some(nodes) = Nodes::try_new(between, "").await else { return };
    nodes.here.sign_in(nodes.here.ada).await;
    let mut there = Wire::of(nodes.connect(&nodes.there).await);
    let begun = Instant::now();
    nodes.here.services.accounts.sign_out(&nodes.here.ada).await.unwrap();
    assert_eq!(there.closed().await, Closing::SignedOut);
    assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_edit_while_the_bus_is_silent_is_shown_within_five_seconds() {
    let _clock = stop_clock();
    let nodes = Nodes::new(Between::NoBus, "").await;
    let (mut ann, mut ben) =
        (Client::at(&nodes, &nodes.here).await, Client::at(&nodes, &nodes.there).await);
    for number in 1..=5 {
        ann.type_text("x").await;
        let mut waited = Duration::ZERO;
        while ben.text_now().len() < number {
            assert!(waited < Duration::from_secs(5), "{number}");
            pass(STEP).await;
            waited += STEP;
        }
    }
}

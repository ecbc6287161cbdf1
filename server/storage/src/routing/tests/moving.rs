//! The phases of a move on one node.

use super::*;
use crate::{
    config::{DocumentsConfig, Place, RelationalOptions},
    routing::{DocumentsMover, DocumentsPlace, Places},
};
use izanagi_domain::{
    sealing::Sealer,
    storage::{MovePhase, MovedStore, StoreMover as _, StoreMoves, SystemClock},
};
use izanagi_shared::rules::Secret;
use std::time::Instant;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const STORE: MovedStore = MovedStore::Documents;

/// A node with its records in the relational database.
struct Node {
    mover: Arc<DocumentsMover>,
    moves: Arc<dyn StoreMoves>,
    source: Store,
    folder: TempDir,
    stop: CancellationToken,
}

impl Node {
    async fn new() -> Self {
        let (clock, ids) = (Arc::new(SystemClock) as _, Arc::new(SystemIds) as Arc<dyn Ids>);
        let database = database().await;
        let stores = sql::stores(&database, &clock, &ids, Duration::from_secs(60));
        let source = Arc::clone(&stores.documents);
        let routed = Routed::new(
            Route::single(Arc::clone(&source), BY_SETTINGS, true),
            sql::shadow_marks(&database, &ids),
        );
        let places = Arc::new(Places::new(
            Arc::clone(&source),
            DocumentsConfig::new("users"),
            RelationalOptions::default(),
            Arc::clone(&ids),
            None,
        ));
        let moves = Arc::clone(&stores.relational.moves);
        let mover = DocumentsMover {
            node: ids.uuid(),
            routed,
            places,
            moves: Arc::clone(&moves),
            clock,
            ids,
            sealer: Some(Sealer::new(Secret::new("a secret"), [])),
            users: Place::Memory,
            configured: DocumentsPlace::Users,
            second: None,
            is_dual: false,
            is_shared: false,
            writes: true,
        };
        let (folder, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
        Self { mover: Arc::new(mover), moves, source, folder, stop }
    }

    fn url(&self) -> String {
        format!("sqlite://{}/documents.db", self.folder.path().display())
    }

    async fn target(&self) -> Store {
        let place = DocumentsPlace::Own(self.url().into());
        Arc::clone(&self.mover.places.open(&place).await.unwrap().store)
    }

    /// Begins a move and brings it to a phase without doing anything.
    async fn begun(&self, url: &str, phases: &[MovePhase]) -> (Uuid, u64) {
        let place = DocumentsPlace::Own(url.into());
        let source = self.mover.sealed(&DocumentsPlace::Users).unwrap();
        let new = izanagi_domain::storage::NewMove {
            id: Uuid::now_v7(),
            store: STORE,
            source: Some(source),
            target: self.mover.sealed(&place).unwrap(),
            replaces: None,
            at: at(1),
        };
        assert!(self.moves.begin(&new).await.unwrap());
        let mut turn = 1;
        for phase in phases {
            assert!(self.moves.turn((new.id, turn), None, *phase).await.unwrap());
            turn += 1;
        }
        (new.id, turn)
    }

    fn follow(&self) -> tokio::task::JoinHandle<()> {
        let (mover, stop) = (Arc::clone(&self.mover), self.stop.clone());
        tokio::spawn(async move { mover.follow(stop).await })
    }

    /// What this node has said.
    async fn said(&self) -> Option<Option<(Uuid, u64)>> {
        let nodes = self.moves.nodes(STORE).await.unwrap();
        nodes.iter().find(|node| node.node == self.mover.node).map(|node| node.at)
    }

    async fn until_said(&self, at: (Uuid, u64)) {
        let begun = Instant::now();
        while self.said().await != Some(Some(at)) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", self.said().await);
            tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(5)).await;
        }
    }

    /// Whether a write is let through soon.
    async fn admits(&self) -> bool {
        let write = self.mover.routed.begin_write();
        tokio::time::timeout(Duration::from_millis(100), write).await.is_ok_and(|it| it.is_ok())
    }
}

use MovePhase::{Copying, Holding, Moved, Verifying};

/// Another worker had begun the pause. What it had done until then is not known.
#[tokio::test]
async fn a_worker_that_takes_over_in_the_pause_compares_every_record_first() {
    let node = Node::new().await;
    create(&node.source, "words").await;
    // The new place lacks the record, and has one too many. No mark says so.
    let extra = RecordPath::from_parts("documents/7/contents", "extra");
    let target = node.target().await;
    target.create(&NewRecord { path: extra.clone(), data: data("x") }, at(1)).await.unwrap();
    node.begun(&node.url(), &[Copying, Verifying, Holding]).await;
    let follows = node.follow();
    node.mover.carry_on().await.unwrap();
    assert_eq!(node.moves.get(STORE).await.unwrap().unwrap().phase, Moved);
    assert_eq!(stored(&target).await, stored(&node.source).await);
    assert!(target.get(&extra).await.is_err());
    node.stop.cancel();
    follows.await.unwrap();
}

/// Before the others can know of a node, it must not write.
#[tokio::test]
async fn a_node_that_starts_during_a_move_says_so_before_it_writes() {
    let node = Node::new().await;
    let at = node.begun(&node.url(), &[Copying]).await;
    node.mover.routed.wait_to_join();
    assert!(!node.admits().await);
    let follows = node.follow();
    let admitted = node.mover.routed.begin_write().await.unwrap();
    assert_eq!(node.said().await, Some(Some(at)));
    assert_eq!(admitted.0.origin, Origin { move_id: Some(at.0), truth: Truth::Source });
    drop(admitted);
    node.stop.cancel();
    follows.await.unwrap();
}

/// A worker may have taken a node that stood still for dead. It says that it is alive before it reads
/// where the move is, so that the move waits for it from then on.
#[tokio::test]
async fn a_node_that_was_taken_for_dead_says_so_before_it_looks() {
    let node = Node::new().await;
    let (id, turn) = node.begun(&node.url(), &[Copying]).await;
    let mut follower = super::super::follow::Follower::new(&node.mover);
    follower.look().await.unwrap();
    assert_eq!(node.said().await, Some(Some((id, turn))));
    node.moves.leave(STORE, node.mover.node, None).await.unwrap();
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(2_100)).await;
    // The look that is trusted read the row after this.
    follower.look().await.unwrap();
    assert_eq!(node.said().await, Some(Some((id, turn))));
}

/// Others may write to the end of a process; it leaves only when nobody can any more.
#[tokio::test]
async fn a_node_that_ends_lets_nobody_write_before_it_leaves() {
    let node = Node::new().await;
    let at = node.begun(&node.url(), &[Copying]).await;
    let follows = node.follow();
    node.until_said(at).await;
    let under_way = loop {
        if let Ok(admitted) = node.mover.routed.begin_write().await {
            break admitted;
        }
    };
    node.stop.cancel();
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(300)).await;
    assert!(node.said().await.is_some(), "a write is under way");
    drop(under_way);
    follows.await.unwrap();
    assert_eq!(node.said().await, None);
    assert!(!node.admits().await);
}

/// The move must not go on to a place that one of the nodes cannot reach.
#[tokio::test]
async fn a_node_without_the_new_place_goes_on_and_makes_the_move_wait() {
    let node = Node::new().await;
    let (id, turn) = node.begun("postgres://127.0.0.1:1/nowhere", &[Copying]).await;
    let follows = node.follow();
    node.until_said((id, turn)).await;
    assert!(node.moves.turn((id, turn), None, Verifying).await.unwrap());
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(500)).await;
    assert_eq!(node.said().await, Some(Some((id, turn))), "it is not ready for {}", turn + 1);
    assert_eq!(write(&node.mover.routed, Write::Create(new("words"), at(1))).await, Ok(1));
    assert_eq!(node.mover.routed.marks.count().await, Ok(1));
    node.stop.cancel();
    follows.await.unwrap();
}

#[tokio::test]
async fn a_place_that_others_cannot_share_is_refused() {
    let mut node = Node::new().await;
    create(&node.source, "words").await;
    let ask = async |node: &Node, url: &str| node.mover.prepare(&Secret::new(url), true).await;
    let why = ask(&node, "sqlite://data/x.db").await.unwrap_err();
    assert!(why.contains("whole path"), "{why}");
    let why = ask(&node, "postgres:ann:tiger@db/notes").await.unwrap_err();
    assert!(!why.contains("tiger") && why.contains("postgres://"), "{why}");
    assert!(ask(&node, "memory://").await.is_err());
    assert!(ask(&node, &node.url()).await.is_ok());
    Arc::get_mut(&mut node.mover).unwrap().is_shared = true;
    let why = ask(&node, &node.url()).await.unwrap_err();
    assert!(why.contains("file of its own"), "{why}");
}

/// With --overwrite in the wrong direction, all records would be removed.
#[tokio::test]
async fn an_empty_place_does_not_overwrite_a_filled_one() {
    let node = Node::new().await;
    create(&node.target().await, "words").await;
    let why = node.mover.prepare(&Secret::new(node.url()), true).await.unwrap_err();
    assert!(why.contains("direction"), "{why}");
}

/// Other nodes may still have settings of before the first move.
#[tokio::test]
async fn a_cancelled_second_move_leaves_the_first_one_for_other_nodes() {
    let mut node = Node::new().await;
    let target = node.url();
    let first = node.begun(&target, &[Moved]).await.0;
    node.target().await;
    {
        let mover = Arc::get_mut(&mut node.mover).unwrap();
        // The settings of this node were changed after the first move.
        mover.configured = DocumentsPlace::Own(target.clone().into());
        mover.is_shared = true;
    }
    let second = izanagi_domain::storage::NewMove {
        id: Uuid::now_v7(),
        store: STORE,
        source: Some(node.mover.sealed(&node.mover.configured).unwrap()),
        target: node.mover.sealed(&DocumentsPlace::Users).unwrap(),
        replaces: Some(first),
        at: at(2),
    };
    assert!(node.moves.begin(&second).await.unwrap());
    let follows = node.follow();
    assert!(node.moves.turn((second.id, 1), None, MovePhase::Cancelled).await.unwrap());
    node.mover.carry_on().await.unwrap();
    let row = node.moves.get(STORE).await.unwrap().expect("the others need it");
    assert_eq!(row.phase, Moved);
    assert_eq!(node.mover.unseal(&row.target).unwrap().text(), target);
    node.stop.cancel();
    follows.await.unwrap();
}

#[tokio::test]
async fn a_move_is_not_forgotten_while_the_settings_name_the_place_of_before() {
    let mut node = Node::new().await;
    node.begun(&node.url(), &[Moved]).await;
    let row = node.moves.get(STORE).await.unwrap().unwrap();
    let why = node.mover.check_forget(&row).await.unwrap_err();
    assert!(why.contains("still name"), "{why}");
    let other = format!("sqlite://{}/other.db", node.folder.path().display());
    for (url, may) in [(node.url(), true), (other, false)] {
        Arc::get_mut(&mut node.mover).unwrap().configured = DocumentsPlace::Own(url.into());
        assert_eq!(node.mover.check_forget(&row).await.is_ok(), may);
    }
}

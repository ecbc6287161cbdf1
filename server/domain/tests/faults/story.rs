//! A client that runs a fixed sequence of edits, snapshots, commits, demotions, a restore and a
//! garbage collection. It retries unanswered requests with the same keys and keeps a ledger.

use super::support::{World, insert, random_client};
use futures::future::try_join_all;
use izanagi_domain::{
    documents::RequestKey,
    error::{Error, Result},
    jobs::LEASE,
    storage::{Freshness, VersionRow},
    versions::{CommitInput, INTENT_LIFETIME},
};
use izanagi_shared::{crdt::TextDoc, id::DocumentId, wire::VersionNote};
use izanagi_storage::faulty::Injector;
use std::{sync::Arc, time::Duration};

/// Attempts per step before the client stops.
const TRIES: u32 = 4;
/// Timeout of an attempt without faults.
const WITHOUT_FAULTS: Duration = Duration::from_secs(20);
/// Timeout of an attempt with faults, some of which hang.
const PATIENCE: Duration = Duration::from_millis(150);

#[derive(Debug, Clone)]
enum Step {
    Edit(&'static str),
    Commit(&'static str),
    Snapshot,
    /// By this many workers.
    WorkOff(u8),
    Restore(u64),
    Collect,
}

const STEPS: [Step; 15] = [
    Step::Edit("[a]"),
    Step::Commit("one"),
    Step::Edit("[b]"),
    Step::Edit("[c]"),
    Step::Commit("two"),
    Step::Snapshot,
    Step::WorkOff(1),
    Step::Edit("[d]"),
    Step::Commit("three"),
    Step::WorkOff(2),
    Step::Edit("[e]"),
    Step::Restore(2),
    Step::WorkOff(1),
    Step::Collect,
    Step::Edit("[f]"),
];

/// Number of versions created: three commits, the live text before the restore, and the restore.
const VERSIONS: u64 = 5;

pub(crate) struct Story {
    document: DocumentId,
    /// The client's replica, which creates the updates.
    replica: TextDoc,
    next: usize,
    /// Update of the step at `next`; retries resend it instead of creating a new one.
    delta: Option<Vec<u8>>,
    versions: Vec<VersionRow>,
    numbers: Vec<u64>,
}

impl Story {
    /// Creates the document without fault injection.
    pub(crate) async fn begin(world: &World) -> Self {
        let quiet = World::over(world).await;
        let document = quiet.create(&"A line that stays.\n".repeat(20)).await;
        let state = quiet.replica(document).await.encode();
        quiet.services.shut_down().await;
        let replica = TextDoc::load(random_client(), &state).unwrap();
        let (versions, numbers) = (Vec::new(), Vec::new());
        Self { document, replica, next: 0, delta: None, versions, numbers }
    }

    /// Continues to the end, or to the first step that is not answered.
    pub(crate) async fn go_on(&mut self, world: &World, injector: Option<&Arc<Injector>>) {
        while let Some(step) = STEPS.get(self.next).cloned() {
            if !self.take(world, &step, injector).await {
                assert!(
                    injector.is_some(),
                    "{step:?} was not answered although no fault was injected"
                );
                return;
            }
            self.next += 1;
            self.delta = None;
        }
    }

    async fn take(&mut self, world: &World, step: &Step, injector: Option<&Arc<Injector>>) -> bool {
        if let Step::Edit(token) = step
            && self.delta.is_none()
        {
            self.delta = Some(self.replica.edit(&[insert(0, token)]));
        }
        if let Step::Collect = step {
            world.clock.advance(INTENT_LIFETIME * 2);
        }
        // Only a fault makes a call hang; without one, a slow machine must not fail the test.
        let patience = if injector.is_some() { PATIENCE } else { WITHOUT_FAULTS };
        for _ in 0..TRIES {
            match tokio::time::timeout(patience, self.try_step(world, step)).await {
                Ok(Ok(())) => return true,
                // The outcome is unknown; retry the same request.
                Ok(Err(Error::Unavailable(_) | Error::Overloaded(_))) => {}
                // Damaged bytes were detected rather than returned; a retry may read intact ones.
                Ok(Err(
                    Error::CorruptVersion { .. } | Error::CorruptDocument(_) | Error::Internal(_),
                )) if injector.is_some() => {}
                // A stale read may not see the document yet.
                Ok(Err(Error::NotFound(_))) if injector.is_some() => {}
                Ok(Err(error)) => panic!("{step:?}: {error:?}"),
                Err(_) => {
                    if let Some(injector) = injector {
                        injector.release().await;
                    }
                }
            }
        }
        false
    }

    async fn try_step(&mut self, world: &World, step: &Step) -> Result<()> {
        let services = &world.services;
        let who = &world.ada.into();
        let key = |name: &str| RequestKey::new(world.ada.user, "POST", "/story", name);
        match step {
            Step::Edit(token) => {
                let editor = services.documents.for_editor(who, self.document).await?;
                let delta = self.delta.clone().unwrap();
                let receipt = services.documents.submit(&editor, token, delta).await?;
                self.numbers.push(receipt.seq);
            }
            Step::Commit(message) => {
                let editor = services.documents.for_editor(who, self.document).await?;
                let key = key(message)?;
                let input = CommitInput { note: VersionNote::new(*message), content: None, key };
                self.versions.push(services.versions.commit(&editor, input).await?);
            }
            Step::Restore(number) => {
                let editor = services.documents.for_editor(who, self.document).await?;
                let key = key("restore")?;
                let restored = services.versions.restore(&editor, *number, None, key).await?;
                self.versions.push(restored);
            }
            Step::Snapshot => services.documents.persist(self.document).await?,
            Step::WorkOff(workers) => {
                // An earlier attempt may have claimed the jobs and died.
                world.clock.advance(LEASE);
                let workers = (0..*workers).map(|_| services.jobs.work_off());
                try_join_all(workers).await?;
            }
            Step::Collect => {
                services.versions.collect_garbage().await?;
            }
        }
        Ok(())
    }

    /// Whether the version in the middle of the history has been turned into a delta.
    pub(crate) async fn is_compacted(&self, world: &World) -> bool {
        let versions = &world.stores.relational.versions;
        versions.get(Freshness::Fresh, self.document, 3).await.unwrap().is_delta
    }

    /// Checks that everything in the ledger is present exactly once.
    pub(crate) async fn check(&self, world: &World) {
        let row = world.reader(self.document).await.row().clone();
        assert_eq!(row.head_version, VERSIONS, "wrong number of versions");
        let mut numbers = self.numbers.clone();
        numbers.dedup();
        assert!(numbers.is_sorted() && numbers.len() == 6, "{numbers:?}");
        // Six edits of the client and one of the restore.
        assert_eq!(row.live_seq, 7, "wrong number of edits");
        let text = world.text(self.document).await;
        // The restore removed [d] and [e]; [f] was inserted after it.
        for (token, times) in
            [("[a]", 1), ("[b]", 1), ("[c]", 1), ("[d]", 0), ("[e]", 0), ("[f]", 1)]
        {
            assert_eq!(text.matches(token).count(), times, "{token} in {text:.60}");
        }
        let tokens = ["[a]", "[a][b][c]", "[a][b][c][d]", "[a][b][c][d][e]", "[a][b][c]"];
        for (number, expected) in (1..).zip(tokens) {
            let content = world.content(self.document, number).await;
            for token in ["[a]", "[b]", "[c]", "[d]", "[e]"] {
                let times = usize::from(expected.contains(token));
                assert_eq!(content.matches(token).count(), times, "{token} in version {number}");
            }
        }
        let editor = world.editor(self.document).await;
        let history = world.services.edits.list(&editor, None, None, None).await.unwrap();
        let seqs: Vec<u64> = history.items.iter().map(|logged| logged.edit.seq).collect();
        assert_eq!(seqs, (1..=7).collect::<Vec<u64>>(), "edit history has holes");
        let state = world.services.edits.checkpoint(&editor, 7).await.unwrap();
        assert_eq!(TextDoc::load(1, &state).unwrap().text(), text);
        for version in &self.versions {
            let stored = world
                .stores
                .relational
                .versions
                .get(Freshness::Fresh, self.document, version.number)
                .await
                .unwrap();
            assert_eq!(stored.content_hash, version.content_hash);
            assert_eq!(stored.commit_id, version.commit_id);
        }
    }
}

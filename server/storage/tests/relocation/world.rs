//! Writers on stores that move, and what was acknowledged to them.

use crate::fixtures::*;
use izanagi_domain::storage::{
    Appended, CommitOutcome, DetailsChange, NewSession, RecordPath, RefreshToken, Session, Stores,
};
use izanagi_shared::id::{CommitId, DocumentId, SessionId, UserId};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::mpsc::Sender, task::JoinSet};
use uuid::Uuid;

/// Something that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acknowledged {
    /// An edit with its number.
    Edit(DocumentId, String, u64),
    /// A version with its number.
    Version(DocumentId, CommitId, u64),
    /// A title, of one writer.
    Title(DocumentId, String),
    /// A sign-in.
    Session(SessionId),
}

impl Acknowledged {
    /// As a line of a file.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Edit(document, op, seq) => format!("edit {document} {op} {seq}"),
            Self::Version(document, commit, number) => {
                format!("version {document} {commit} {number}")
            }
            Self::Title(document, title) => format!("title {document} {title}"),
            Self::Session(session) => format!("session {session}"),
        }
    }

    /// Reads [`Self::line`]; `None` if a kill has cut it.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split(' ').collect();
        let id = |at: usize| words.get(at)?.parse::<Uuid>().ok();
        let number = || words.get(3)?.parse().ok();
        Some(match *words.first()? {
            "edit" => Self::Edit(DocumentId(id(1)?), (*words.get(2)?).to_owned(), number()?),
            "version" => Self::Version(DocumentId(id(1)?), CommitId(id(2)?), number()?),
            "title" => Self::Title(DocumentId(id(1)?), (*words.get(2)?).to_owned()),
            "session" => Self::Session(SessionId(id(1)?)),
            _ => return None,
        })
    }
}

/// Writers that go on until they are stopped.
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Duration>,
}

impl Writers {
    /// Starts a writer for each document, which rests for `pace` after each request. It fails on the
    /// first request that fails.
    pub(crate) fn start(
        stores: &Stores,
        documents: &[(UserId, DocumentId)],
        run: &str,
        told: &Sender<Acknowledged>,
        pace: Duration,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = JoinSet::new();
        for (user, document) in documents.iter().copied() {
            let (stores, stop, told) = (stores.clone(), Arc::clone(&stop), told.clone());
            let run = run.to_owned();
            tasks.spawn(async move {
                let mut slowest = Duration::ZERO;
                for number in 0_u64.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let begun = Instant::now();
                    let done = write(&stores, user, document, &run, number).await;
                    slowest = slowest.max(begun.elapsed());
                    // The process that listens may have ended.
                    let _ = told.send(done).await;
                    tokio::time::sleep_until(tokio::time::Instant::now() + pace).await;
                }
                slowest
            });
        }
        Self { stop, tasks }
    }

    /// Stops them; returns how long the slowest request took.
    pub(crate) async fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().max().unwrap_or_default()
    }
}

async fn write(
    stores: &Stores,
    user: UserId,
    document: DocumentId,
    run: &str,
    number: u64,
) -> Acknowledged {
    match number % 8 {
        3 => {
            let (mut intent, mut version) = attempt(stores, document, user).await;
            let commit = CommitId(Uuid::now_v7());
            let mut key = [9; 32];
            key[..16].copy_from_slice(Uuid::now_v7().as_bytes());
            (intent.commit_id, intent.request_key) = (commit, key);
            (version.commit_id, version.request.key) = (commit, key);
            stores.relational.intents.open(&intent).await.unwrap();
            stores.documents.create(&content_record(&version), at(40)).await.unwrap();
            let outcome = stores.relational.intents.commit(&version).await.unwrap();
            assert_eq!(outcome, CommitOutcome::Committed);
            Acknowledged::Version(document, commit, version.number)
        }
        5 => {
            let title = format!("{run}-{number}");
            let change = DetailsChange { title: Some(title.clone()), ..DetailsChange::default() };
            let changed = stores.relational.catalog.change(document, user.into(), &change, at(20));
            changed.await.unwrap();
            Acknowledged::Title(document, title)
        }
        7 => {
            let id = SessionId(Uuid::now_v7());
            let session = Session {
                id,
                user_id: user,
                user_agent: "Browser/1".to_owned(),
                ip: "::1".to_owned(),
                created_at: at(1),
                last_activity_at: at(1),
                revoked_at: None,
            };
            let mut hash = [4; 32];
            hash[..16].copy_from_slice(Uuid::now_v7().as_bytes());
            let token = RefreshToken {
                hash,
                session_id: id,
                nonce: [5; 32],
                parent_hash: None,
                expires_at: at(500),
                used_at: None,
                successor_used: false,
            };
            stores.relational.sessions.create(&NewSession { token, session }).await.unwrap();
            Acknowledged::Session(id)
        }
        _ => {
            let op = format!("{run}-{number}");
            let mut answers = stores
                .relational
                .log
                .append(&[batch(document, vec![update(user, &op)])])
                .await
                .unwrap();
            let appended = answers.remove(0).unwrap().into_appended().unwrap();
            let [Appended::New(seq)] = appended[..] else { panic!("{op}: {appended:?}") };
            Acknowledged::Edit(document, op, seq)
        }
    }
}

/// Asserts that everything acknowledged is there, and nothing is there twice.
pub(crate) async fn check(
    stores: &Stores,
    documents: &[(UserId, DocumentId)],
    acknowledged: &[Acknowledged],
) {
    let mut titles = BTreeMap::new();
    for done in acknowledged {
        match done {
            Acknowledged::Edit(document, op, seq) => {
                let (user, _) = documents.iter().find(|(_, known)| known == document).unwrap();
                let known = stores.relational.log.known_op(*document, (*user).into(), op).await;
                assert_eq!(known.unwrap().seq, *seq, "{op}");
            }
            Acknowledged::Version(document, commit, number) => {
                let version = stores.relational.versions.by_commit(*commit).await.unwrap();
                assert_eq!((version.document_id, version.number), (*document, *number));
                let path = RecordPath::content(*document, *commit);
                let record = stores.documents.get(&path).await;
                assert_eq!(record.unwrap().data, data("words"));
            }
            Acknowledged::Title(document, title) => {
                titles.insert(*document, title.clone());
            }
            Acknowledged::Session(session) => {
                stores.relational.sessions.get(*session).await.unwrap();
            }
        }
    }
    for (_, document) in documents {
        let log = stores.relational.log.load(*document).await.unwrap();
        let mut deltas: Vec<_> = log.updates.iter().map(|update| update.delta.clone()).collect();
        assert_eq!(log.live_seq, deltas.len() as u64, "numbers have no gaps");
        deltas.sort();
        deltas.dedup();
        assert_eq!(log.live_seq, deltas.len() as u64, "an edit is there twice");
        let row = stores.relational.catalog.get(*document).await.unwrap();
        if let Some(title) = titles.get(document) {
            // A kill may have come between a later change and its acknowledgement.
            let (run, number) = parts(title);
            let (now_run, now) = parts(&row.details.title);
            assert!(now_run != run || now >= number, "{title} was lost");
        }
    }
}

fn parts(title: &str) -> (&str, u64) {
    let (run, number) = title.rsplit_once('-').unwrap();
    (run, number.parse().unwrap())
}

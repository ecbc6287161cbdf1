//! Many people who type at once, each through the API like the editor: errors, waits, and the memory
//! of the server after they have left.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target, progress},
    server::{Server, Session},
    statistics::{milliseconds, percentile},
};
use anyhow::{Context as _, Result, ensure};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::DocumentId,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// People who type at once, unless `BENCH_PEOPLE` says otherwise.
const PEOPLE: usize = 200;
/// How many of them write one document together.
const TOGETHER: usize = 4;
/// Edits of each person in a second.
const PER_SECOND: u32 = 5;
/// For how long they type, and how long the server rests after they have left.
const TYPING: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(60);
/// The text that each document begins with.
const BYTES: usize = 20_000;

/// What one person has experienced.
#[derive(Default)]
struct Experience {
    /// Waits for acknowledgements, in milliseconds.
    waits: Vec<f64>,
    errors: BTreeMap<String, usize>,
}

/// Measures the waits for acknowledgements, and the memory after a rest.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let people = number("BENCH_PEOPLE", PEOPLE)?;
    let typing = Duration::from_secs(number("BENCH_SECONDS", TYPING.as_secs())?);
    let rest = Duration::from_secs(number("BENCH_REST", REST.as_secs())?);
    let server = Server::start(&setting.build, &setting.folder.join("people"))?;
    let source = setting.trace.texts(1).last().context("the trace is empty")?;
    let text = &source[..source.floor_char_boundary(BYTES)];

    let (mut sessions, mut documents) = (Vec::new(), Vec::new());
    for index in 0..people {
        let mut session = Session::sign_up(server.address(), &format!("person{index}")).await?;
        if index % TOGETHER == 0 {
            documents.push(session.create(text).await?);
        }
        sessions.push(session);
    }
    for (index, document) in documents.iter().enumerate() {
        let first = index * TOGETHER;
        let others: Vec<String> = sessions
            .iter()
            .skip(first + 1)
            .take(TOGETHER - 1)
            .map(|session| session.user().to_owned())
            .collect();
        for user in others {
            sessions[first].put(&format!("/documents/{document}/owners/{user}")).await?;
        }
    }
    let before = server.resident_megabytes()?;
    progress(format_args!("{people} people type for {typing:?}; {before:.0} MB before"));

    let mut tasks = JoinSet::new();
    for (index, session) in sessions.into_iter().enumerate() {
        // They do not press their keys at the same moment.
        let delay =
            Duration::from_secs(1) / PER_SECOND * u32::try_from(index)? / u32::try_from(people)?;
        tasks.spawn(type_text(session, documents[index / TOGETHER], typing, delay));
    }
    let (start, mut experience) = (Instant::now(), Experience::default());
    let processor = server.processor_seconds()?;
    while let Some(done) = tasks.join_next().await {
        let Experience { waits, errors } = done??;
        experience.waits.extend(waits);
        for (error, count) in errors {
            *experience.errors.entry(error).or_default() += count;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let processor = server.processor_seconds()? - processor;
    let peak = server.peak_megabytes()?;
    for (error, count) in &experience.errors {
        progress(format_args!("{count} × {error}"));
    }
    tokio::time::sleep(rest).await;
    let resident = server.resident_megabytes()?;

    let (waits, errors) = (&experience.waits, experience.errors.values().sum::<usize>());
    ensure!(!waits.is_empty(), "nothing was acknowledged");
    let what = format!("{people} people, {PER_SECOND} edits per second each, for {seconds:.0} s");
    let millis = (processor * 1_000.0) / waits.len() as f64;
    report.add(Figure {
        what: format!("{what}: errors"),
        measured: format!("{errors} of {}", waits.len() + errors),
        peer: String::new(),
        value: errors as f64,
        unit: "",
        target: Target::AtMost(0.0),
    });
    report.add(Figure {
        what: format!("{what}: wait for an acknowledgement, p95"),
        measured: format!(
            "p50 {} ms, p99 {} ms; {} ms of processor time each",
            Number(percentile(waits, 0.5)),
            Number(percentile(waits, 0.99)),
            Number(millis)
        ),
        peer: String::new(),
        value: percentile(waits, 0.95),
        unit: "ms",
        target: Target::AtMost(150.0),
    });
    report.add(Figure {
        what: format!("{what}: resident memory {} s after they left", rest.as_secs()),
        measured: format!("{} MB; peak {} MB", Number(resident), Number(peak)),
        peer: format!("before {} MB", Number(before)),
        value: resident,
        unit: "MB",
        target: Target::AtMost(120.0),
    });
    Ok(())
}

/// Types letters at the end of a replica, at an even pace, whatever the waits; a person who falls
/// behind sends the next edit at once.
async fn type_text(
    mut session: Session,
    document: DocumentId,
    typing: Duration,
    delay: Duration,
) -> Result<Experience> {
    let state = session.state(document).await?;
    let client = u64::from(rand_client(&session));
    let mut replica = TextDoc::load(client, &state)?;
    let mut at = u32::try_from(replica.text().encode_utf16().count())?;
    let mut experience = Experience::default();
    tokio::time::sleep(delay).await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let start = Instant::now();
    while start.elapsed() < typing {
        ticks.tick().await;
        let delta = replica.edit(&[Change { from: at, to: at, insert: "x".to_owned() }]);
        at += 1;
        let request = session.op_request(document, &format!("{client}-{at}"), &delta)?;
        let sent = Instant::now();
        match session.send_op(&request).await {
            Ok(_) => experience.waits.push(milliseconds(sent.elapsed())),
            Err(error) => *experience.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
    Ok(experience)
}

/// Returns a client id of the session's own: its user's id is random.
fn rand_client(session: &Session) -> u32 {
    let bytes = session.user().bytes().rev();
    bytes.fold(1_u32, |id, byte| id.wrapping_mul(31).wrapping_add(u32::from(byte))).max(2)
}

/// Returns a number from the environment, for shorter runs.
fn number<T: std::str::FromStr>(name: &str, default: T) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is not a number")),
        Err(_) => Ok(default),
    }
}

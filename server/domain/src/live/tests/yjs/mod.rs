//! What the server tells makes replicas of npm Yjs show its text, whatever hostile clients send.

use super::{seated::Listener, stories::Dice, *};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

const PAIRS: u64 = 1_000;
const BASE: &str = "abcdefgh";
/// The hostile client, and one whose items it builds on.
const HOSTILE: u64 = 5;
const MISSING: u64 = 9;

/// What a peer shows.
#[derive(Debug, serde::Deserialize)]
struct Shown {
    text: String,
    waits: bool,
}

type Id = (u64, u64);

/// A text item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    origin: Option<Id>,
    right: Option<Id>,
    text: String,
}

/// Items of a client from a clock on, and deletions: client, clock and length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Raw {
    client: u64,
    clock: u64,
    items: Vec<Item>,
    deletes: Vec<(u64, u64, u64)>,
}

impl Raw {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![1, small(self.items.len()), small(self.client), small(self.clock)];
        for Item { origin, right, text } in &self.items {
            let flag = |id: &Option<Id>, flag| if id.is_some() { flag } else { 0 };
            bytes.push(4 | flag(origin, 0x80) | flag(right, 0x40));
            for (client, clock) in origin.iter().chain(right) {
                bytes.extend([small(*client), small(*clock)]);
            }
            if origin.or(*right).is_none() {
                bytes.extend([1, 7]);
                bytes.extend(b"content");
            }
            bytes.push(small(text.len()));
            bytes.extend(text.bytes());
        }
        bytes.push(small(self.deletes.len()));
        for (client, clock, len) in &self.deletes {
            bytes.extend([small(*client), 1, small(*clock), small(*len)]);
        }
        bytes
    }

    /// The letter at each clock.
    fn letters(&self) -> impl Iterator<Item = (u64, char)> {
        (self.clock..).zip(self.items.iter().flat_map(|item| item.text.chars()))
    }

    /// Whether it says of a clock something else than another one.
    fn contradicts(&self, other: &Self) -> bool {
        let of_other: Vec<_> = other.letters().collect();
        let is_other =
            |(clock, letter)| of_other.iter().any(|(at, it)| *at == clock && *it != letter);
        self.client == other.client && self.letters().any(is_other)
    }
}

/// A number that takes one byte.
fn small(number: impl TryInto<u8>) -> u8 {
    number.try_into().ok().filter(|number| *number < 0x80).unwrap()
}

/// A place between two letters of the first text.
fn place(dice: &mut Dice) -> (Option<Id>, Option<Id>) {
    let at = dice.below(BASE.len() as u64 + 1);
    let right = (at < BASE.len() as u64).then_some((1, at));
    (at.checked_sub(1).map(|left| (1, left)), right)
}

fn word(dice: &mut Dice) -> String {
    (0..=dice.below(3)).map(|_| char::from(b'A' + small(dice.below(26)))).collect()
}

/// An update of the hostile client.
fn hostile(dice: &mut Dice, right_of_missing: Option<Id>) -> Raw {
    let mut items = Vec::new();
    let mut clock = 0;
    for _ in 0..=dice.below(2) {
        let (origin, right) = match dice.below(4) {
            0 | 1 => (Some((MISSING, 0)), right_of_missing),
            _ => place(dice),
        };
        let text = word(dice);
        let origin = if clock > 0 && dice.throw() { Some((HOSTILE, clock - 1)) } else { origin };
        clock += text.len() as u64;
        items.push(Item { origin, right, text });
    }
    let mut deletes = Vec::new();
    if dice.throw() {
        deletes.push((1, dice.below(BASE.len() as u64), 1));
    }
    if dice.below(4) == 0 {
        deletes.push((HOSTILE, dice.below(3), 1 + dice.below(2)));
    }
    if dice.below(4) == 0 {
        deletes.push((MISSING, 0, 1));
    }
    Raw { client: HOSTILE, clock: 0, items, deletes }
}

/// Changes an update so that it usually says something else of the same clocks.
fn forged(dice: &mut Dice, raw: &Raw) -> Raw {
    let mut forged = raw.clone();
    for item in &mut forged.items {
        match dice.below(4) {
            0 => item.text = word(dice),
            1 => (item.origin, item.right) = place(dice),
            2 => {
                (item.origin, item.right) = place(dice);
                item.text = word(dice);
            }
            _ => {}
        }
    }
    if dice.throw() {
        forged.deletes = Vec::new();
    }
    forged
}

/// What came of a pair.
struct Played {
    /// What one was told who listened all the time.
    told: Vec<String>,
    /// What another one got who came at the end.
    whole: String,
    text: String,
    /// Whether the second of two contradictory updates was refused while the first waited.
    refused: bool,
}

async fn play(seed: u64) -> Played {
    let mut dice = Dice::of(seed);
    let bench = Bench::new(BASE);
    let mut listener: Listener = bench.join(ANN).await.unwrap();
    let mut told = vec![STANDARD.encode(&bench.log.first)];
    let (left, right) = place(&mut dice);
    let item = Item { origin: left, right, text: word(&mut dice) };
    let missing = Raw { client: MISSING, clock: 0, items: vec![item], deletes: Vec::new() };
    let first = hostile(&mut dice, right);
    let second =
        if dice.below(4) == 0 { hostile(&mut dice, right) } else { forged(&mut dice, &first) };
    let mut sent = vec![&first, &second];
    // Usually last, so that the others wait.
    sent.insert(if dice.below(3) == 0 { dice.below(2) as usize } else { 2 }, &missing);
    let mut accepted: Vec<(&Raw, bool)> = Vec::new();
    let mut refused = false;
    for (number, raw) in sent.into_iter().enumerate() {
        let answer = bench.send(ANN, &number.to_string(), raw.encode()).await;
        let against = accepted.iter().any(|(it, waits)| *waits && it.contradicts(raw));
        match answer {
            Ok(receipt) => {
                assert!(!against, "seed {seed}: {accepted:?} and {raw:?}");
                accepted.push((raw, receipt.pending));
            }
            Err(Error::BadUpdate(_)) => refused |= against,
            Err(error) => panic!("seed {seed}: {error:?}"),
        }
        if raw.client == MISSING {
            accepted.iter_mut().for_each(|(_, waits)| *waits = false);
        }
        if dice.throw() {
            let mut honest =
                TextDoc::load(20 + number as u64, &listener_state(&bench).await).unwrap();
            let text = format!("{}{}", honest.text(), word(&mut dice));
            bench
                .submit(&format!("honest {number}"), honest.replace_with(&text).unwrap())
                .await
                .unwrap();
        }
    }
    let text = bench.text().await;
    assert_eq!(listener.catch_up(), text, "seed {seed}");
    told.extend(listener.updates.iter().map(|update| STANDARD.encode(&update.delta)));
    let whole = STANDARD.encode(listener_state(&bench).await);
    bench.stop.cancel();
    Played { told, whole, text, refused }
}

async fn listener_state(bench: &Bench) -> Vec<u8> {
    bench.rooms.missing(DOCUMENT, vec![0]).await.unwrap().delta
}

/// What peers of npm Yjs show that were told this.
fn shown(peers: &[Vec<String>]) -> Vec<Shown> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/live/tests/yjs/peer.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is not installed");
    let input = serde_json::to_vec(peers).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(start_paused = true)]
async fn peers_of_npm_yjs_show_the_text_of_the_server() {
    let (mut peers, mut texts, mut refused) = (Vec::new(), Vec::new(), 0);
    for seed in 1..=PAIRS {
        let Played { told, whole, text, refused: is_refused } = play(seed).await;
        peers.extend([told, vec![whole]]);
        texts.extend([text.clone(), text]);
        refused += u32::from(is_refused);
    }
    assert!(refused > 100, "too few of the pairs are contradictory: {refused}");
    for (at, (Shown { text, waits }, expected)) in shown(&peers).into_iter().zip(texts).enumerate()
    {
        let seed = at / 2 + 1;
        assert!(!waits, "seed {seed}: the peer was told of something that has to wait");
        assert_eq!(text, expected, "seed {seed}");
    }
}

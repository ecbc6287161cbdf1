use super::*;
use futures::FutureExt as _;
use izanagi_domain::{
    accounts::Network,
    budget::{Budget, BudgetSettings, Caller},
};
use proptest::prelude::*;
use tokio::{
    io::{AsyncWriteExt as _, DuplexStream, duplex},
    time::{interval, timeout},
};

const LONGEST: usize = 1024 * 1024;
/// How long a message waits for memory.
const WAIT: Duration = Duration::from_secs(5);
const MASK: [u8; 4] = [0x11, 0x22, 0x44, 0x88];

/// Memory for this many long messages.
fn budget(messages: usize) -> Budget {
    let body_bytes = messages * LONGEST;
    Budget::new(BudgetSettings { body_bytes, wait: WAIT, ..BudgetSettings::default() }).unwrap()
}

fn socket(budget: &Budget) -> (DuplexStream, FrameReader<DuplexStream>) {
    let (client, server) = duplex(16 * 1024);
    let mut reader = FrameReader::new(server, LONGEST);
    let budget = budget.clone();
    reader.reserve_with(Box::new(move |bytes| {
        let budget = budget.clone();
        async move { budget.receive(Caller::Network(Network::None), bytes).await }.boxed()
    }));
    (client, reader)
}

/// A masked frame, as clients send it.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..126 => bytes.push(0x80 | length as u8),
        length @ ..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What arrives of these bytes, and why it ends.
async fn read(bytes: &[u8]) -> (Vec<String>, String) {
    let (mut client, mut socket) = socket(&budget(1));
    let sending = async {
        // The other side stops at an invalid frame.
        let _ = client.write_all(bytes).await;
        drop(client);
    };
    let reading = async move {
        let mut arrived = Vec::new();
        loop {
            match socket.next().await {
                Ok(Arrived::Message(Payload::Binary(bytes), _)) => {
                    arrived.push(format!("binary {}", bytes.len()));
                }
                Ok(Arrived::Message(Payload::Text(text), _)) => {
                    arrived.push(format!("text {text}"));
                }
                Ok(Arrived::Ping(bytes)) => arrived.push(format!("ping {bytes:?}")),
                Ok(Arrived::Pong) => arrived.push("pong".to_owned()),
                Ok(Arrived::Close(code)) => arrived.push(format!("close {code:?}")),
                Err(ReadError::Lost(_)) => return (arrived, "lost".to_owned()),
                Err(error) => return (arrived, error.to_string()),
            }
        }
    };
    tokio::join!(reading, sending).0
}

#[tokio::test]
async fn reads_whole_messages_and_control_frames_between_fragments() {
    let bytes = [
        frame(0x82, b"12"),
        frame(0x81, b""),
        frame(0x01, "é".as_bytes()[..1].as_ref()),
        frame(0x89, b"beat"),
        frame(0x00, "é".as_bytes()[1..].as_ref()),
        frame(0x8a, b""),
        frame(0x80, b"!"),
        frame(0x02, &vec![0; LONGEST]),
        frame(0x89, b"beat"),
        frame(0x80, b""),
        frame(0x88, &[0x03, 0xe8]),
    ];
    let (arrived, end) = read(&bytes.concat()).await;
    let expected = [
        "binary 2",
        "text ",
        "ping b\"beat\"",
        "pong",
        "text é!",
        "ping b\"beat\"",
        "binary 1048576",
        "close Some(1000)",
    ];
    assert_eq!((arrived, end.as_str()), (expected.map(str::to_owned).to_vec(), "lost"));
}

#[tokio::test]
async fn refuses_what_rfc_6455_forbids() {
    let mut unmasked = frame(0x82, b"");
    unmasked[1] = 0;
    for (bytes, reason) in [
        (unmasked, "no mask"),
        (frame(0xc2, b""), "no extension"),
        (frame(0x83, b""), "opcode"),
        (frame(0x80, b""), "continues nothing"),
        ([frame(0x02, b""), frame(0x82, b"")].concat(), "incomplete"),
        (frame(0x09, b""), "control frame"),
        (frame(0x89, &[0; 126]), "control frame"),
        (frame(0x81, b"\xff"), "not UTF-8"),
        (frame(0x88, &[3]), "half a code"),
        (frame(0x88, &1005_u16.to_be_bytes()), "invalid code"),
        (frame(0x88, b"\x03\xe8\xff"), "invalid code"),
        (frame(0x82, &vec![0; LONGEST + 1]), "too long"),
        ([frame(0x02, &vec![0; LONGEST]), frame(0x80, b"1")].concat(), "too long"),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), "lost"),
        (b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff1234".to_vec(), "too long"),
    ] {
        let (arrived, end) = read(&bytes).await;
        assert_eq!(arrived, Vec::<String>::new(), "{end}");
        assert!(end.contains(reason), "{end} instead of {reason}");
    }
}

proptest! {
    /// Whatever a client sends, reading comes to an end, and nothing panics.
    #[test]
    fn any_bytes_come_to_an_end(
        heads in prop::collection::vec((any::<u8>(), any::<u8>()), 1..20),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let frames = heads.iter().flat_map(|(first, second)| [&[*first, *second], &rest[..]].concat());
        let (_, end) = runtime.block_on(read(&frames.collect::<Vec<_>>()));
        prop_assert!(!end.is_empty());
    }

    /// However bytes are cut on their way, and wherever messages are cut into frames.
    #[test]
    fn messages_arrive_as_they_were_sent(
        messages in prop::collection::vec((any::<bool>(), 0..200_000_usize, 1..4_usize), 1..6),
        step in 1..70_000_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut client, mut socket) = socket(&budget(10));
            let contents: Vec<Vec<u8>> = messages
                .iter()
                .map(|(_, length, _)| (0..*length).map(|at| (at % 251) as u8 & 0x7f).collect())
                .collect();
            let mut bytes = Vec::new();
            for ((is_text, _, frames), content) in messages.iter().zip(&contents) {
                let size = content.len().div_ceil(*frames).max(1);
                let mut parts: Vec<&[u8]> = content.chunks(size).collect();
                if parts.is_empty() {
                    parts.push(&[]);
                }
                let last = parts.len() - 1;
                for (at, part) in parts.into_iter().enumerate() {
                    let opcode = if at > 0 { 0 } else { 2 - u8::from(*is_text) };
                    bytes.extend(frame(opcode | if at == last { 0x80 } else { 0 }, part));
                    bytes.extend(frame(0x8a, b"between"));
                }
            }
            let sending = async {
                for part in bytes.chunks(step) {
                    client.write_all(part).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let reading = async {
                let mut arrived = Vec::new();
                while arrived.len() < contents.len() {
                    // What is dropped while it waits loses nothing.
                    let next = timeout(Duration::ZERO, socket.next()).await;
                    match next {
                        Ok(Ok(Arrived::Message(Payload::Binary(bytes), _))) => arrived.push(bytes.to_vec()),
                        Ok(Ok(Arrived::Message(Payload::Text(text), _))) => arrived.push(text.into_bytes()),
                        Ok(other) => assert!(matches!(other, Ok(Arrived::Pong)), "{other:?}"),
                        Err(_) => {}
                    }
                }
                arrived
            };
            assert_eq!(tokio::join!(reading, sending).0, contents);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_message_has_a_minute_to_arrive() {
    let (mut client, mut socket) = socket(&budget(1));
    let start = Instant::now();
    let trickle = async {
        let message = frame(0x82, &[0; FREE + 1]);
        let mut beat = interval(Duration::from_millis(10));
        for part in message.chunks(8) {
            beat.tick().await;
            client.write_all(part).await.unwrap();
        }
    };
    let reading = async { socket.next().await.unwrap_err() };
    let error = tokio::select! {
        error = reading => error,
        () = trickle => unreachable!(),
    };
    assert!(matches!(error, ReadError::TooSlow), "{error}");
    assert_eq!(start.elapsed().as_secs(), AT_MOST.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_short_message_and_a_pause_take_any_time() {
    let (mut client, mut socket) = socket(&budget(1));
    for _ in 0..2 {
        let bytes = frame(0x82, &[0; FREE]);
        let (last, parts) = bytes.split_last().unwrap();
        for part in parts.chunks(8 * 1024) {
            client.write_all(part).await.unwrap();
            assert!(timeout(10 * AT_MOST, socket.next()).await.is_err());
        }
        client.write_all(&[*last]).await.unwrap();
        assert!(matches!(socket.next().await, Ok(Arrived::Message(..))));
        assert!(timeout(10 * AT_MOST, socket.next()).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn long_messages_wait_for_memory_and_short_ones_do_not() {
    let budget = budget(2);
    let mut long = Vec::new();
    for _ in 0..3 {
        let (mut client, socket) = socket(&budget);
        let bytes = frame(0x82, &[0; LONGEST]);
        tokio::spawn(async move {
            client.write_all(&bytes).await.unwrap();
            std::future::pending::<()>().await;
        });
        long.push(socket);
    }
    let [first, second, third] = long.as_mut_slice() else { panic!() };
    let held = first.next().await.unwrap();
    let _other = second.next().await.unwrap();
    assert!(timeout(WAIT / 2, third.next()).await.is_err());
    for _ in 0..100 {
        let (mut client, mut short) = socket(&budget);
        let send = async { client.write_all(&frame(0x82, &[0; FREE])).await.unwrap() };
        let (arrived, ()) = tokio::join!(short.next(), send);
        assert!(matches!(arrived, Ok(Arrived::Message(_, None))), "{arrived:?}");
    }
    // A message that has been handled gives its memory back.
    drop(held);
    assert!(matches!(third.next().await.unwrap(), Arrived::Message(_, Some(_))));
}

#[tokio::test(start_paused = true)]
async fn a_message_for_which_there_is_no_memory_is_refused() {
    let budget = budget(1);
    let _all = budget.body(LONGEST).await.unwrap();
    let (mut client, mut socket) = socket(&budget);
    client.write_all(&frame(0x82, &[0; FREE + 1])[..100]).await.unwrap();
    let refused = socket.next().await;
    assert!(matches!(refused, Err(ReadError::NoMemory(_))), "{refused:?}");
}

#[tokio::test]
async fn a_long_message_is_refused_as_long_as_none_is_allowed() {
    let (mut client, server) = duplex(16 * 1024);
    let mut socket = FrameReader::new(server, LONGEST);
    client.write_all(&frame(0x82, &[0; FREE + 1])[..100]).await.unwrap();
    let refused = socket.next().await;
    assert!(matches!(refused, Err(ReadError::NoMemory(Error::Forbidden))), "{refused:?}");
}

/// The client must not miss why it was closed.
#[tokio::test(start_paused = true)]
async fn what_follows_an_error_is_read_and_dropped() {
    let close = frame(0x88, &[0x03, 0xe8]);
    let slow = frame(0x82, &[0; FREE + 1]);
    let too_long = frame(0x82, &vec![0; LONGEST + 1]);
    for first in [&slow[..FREE], &too_long[..20], &frame(0xc2, b"")] {
        let budget = budget(1);
        let (mut client, mut socket) = socket(&budget);
        let error = async {
            loop {
                if let Err(error) = socket.next().await {
                    return error;
                }
            }
        };
        let sending = async {
            for part in first.chunks(1024) {
                client.write_all(part).await.unwrap();
            }
        };
        let (error, ()) = tokio::join!(error, sending);
        assert!(!matches!(error, ReadError::Lost(_)), "{error}");
        let draining = tokio::spawn(async move { socket.drain().await });
        for _ in 0..100 {
            client.write_all(&close).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert!(!draining.is_finished());
        // It holds no memory meanwhile.
        drop(budget.body(LONGEST).await.unwrap());
        drop(client);
        draining.await.unwrap();
    }
}

#[tokio::test]
async fn an_idle_socket_holds_no_memory() {
    let (mut client, mut socket) = socket(&budget(1));
    for bytes in [frame(0x82, &[1; 300_000]), frame(0x89, b"beat"), frame(0x81, b"text")] {
        let (arrived, ()) =
            tokio::join!(socket.next(), async { client.write_all(&bytes).await.unwrap() });
        drop(arrived.unwrap());
        assert_eq!(socket.ahead.capacity(), 0);
        assert!(socket.message.is_none() && socket.frame.is_none());
    }
}

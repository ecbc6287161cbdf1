//! The messages of y-websocket (API.md, WebSockets), and those of Hocuspocus, which begin with the
//! document's name. Numbers and byte strings are encoded as in lib0.

use anyhow::{Context as _, Result, bail};

const SYNC: u64 = 0;
const STEP_1: u8 = 0;
const STEP_2: u64 = 1;
const UPDATE: u64 = 2;
/// Ours: how many updates of this connection are durable.
const DURABLE: u64 = 4;
/// Hocuspocus: a token.
const AUTHENTICATION: u8 = 2;

/// How messages are framed for one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// y-websocket, with our server's additions.
    Yjs,
    /// Hocuspocus; the document's name as each message begins with it.
    Hocuspocus { name: Vec<u8> },
}

/// A message from a server, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// An update: all that the client lacked.
    State(&'a [u8]),
    /// An update of another client, or several of them as one.
    Update(&'a [u8]),
    /// The first so many updates of this connection are durable.
    Durable(u64),
    Other,
}

impl Dialect {
    /// Returns the dialect of Hocuspocus for a document.
    pub(crate) fn hocuspocus(document: &str) -> Self {
        let mut name = Vec::new();
        write_bytes(&mut name, document.as_bytes());
        Self::Hocuspocus { name }
    }

    /// Returns the message that must come first, if there is one.
    pub(crate) fn greeting(&self) -> Option<Vec<u8>> {
        let Self::Hocuspocus { .. } = self else { return None };
        const TOKEN: u8 = 0;
        let mut message = self.start(AUTHENTICATION, TOKEN);
        write_bytes(&mut message, b"token");
        Some(message)
    }

    /// Returns the message that asks for the whole state.
    pub(crate) fn ask(&self) -> Vec<u8> {
        let mut message = self.start(SYNC as u8, STEP_1);
        // The state vector of an empty document.
        write_bytes(&mut message, &[0]);
        message
    }

    /// Returns the message that brings an update.
    pub(crate) fn update(&self, update: &[u8]) -> Vec<u8> {
        let mut message = self.start(SYNC as u8, UPDATE as u8);
        write_bytes(&mut message, update);
        message
    }

    /// Reads a message.
    pub(crate) fn read<'a>(&self, message: &'a [u8]) -> Result<Received<'a>> {
        let mut rest = match self {
            Self::Yjs => message,
            Self::Hocuspocus { name } => {
                message.strip_prefix(name.as_slice()).context("a message of another document")?
            }
        };
        Ok(match (read_number(&mut rest)?, self) {
            (SYNC, _) => match read_number(&mut rest)? {
                STEP_2 => Received::State(read_bytes(&mut rest)?),
                UPDATE => Received::Update(read_bytes(&mut rest)?),
                _ => Received::Other,
            },
            (DURABLE, Self::Yjs) => Received::Durable(read_number(&mut rest)?),
            _ => Received::Other,
        })
    }

    fn start(&self, kind: u8, part: u8) -> Vec<u8> {
        let mut message = match self {
            Self::Yjs => Vec::new(),
            Self::Hocuspocus { name } => name.clone(),
        };
        message.extend([kind, part]);
        message
    }
}

fn write_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    let mut length = bytes.len();
    while length > 0x7f {
        into.push(0x80 | (length & 0x7f) as u8);
        length >>= 7;
    }
    into.push(length as u8);
    into.extend(bytes);
}

fn read_number(rest: &mut &[u8]) -> Result<u64> {
    let (mut number, mut shift) = (0, 0);
    while let Some((byte, after)) = rest.split_first() {
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
        shift += 7;
        if shift > 56 {
            break;
        }
    }
    bail!("a number in a message is cut or too long")
}

fn read_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = usize::try_from(read_number(rest)?)?;
    let (bytes, after) = rest.split_at_checked(length).context("a message is cut")?;
    *rest = after;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Dialect::Yjs)]
    #[case(Dialect::hocuspocus("notes"))]
    fn reads_the_updates_it_writes(#[case] dialect: Dialect) {
        for length in [0, 127, 128, 70_000] {
            let update = vec![3; length];
            let message = dialect.update(&update);
            assert_eq!(dialect.read(&message).unwrap(), Received::Update(&update));
            assert!(length == 0 || dialect.read(&message[..message.len() - 1]).is_err());
        }
    }

    #[test]
    fn only_our_servers_fourth_message_counts_durable_updates() {
        assert_eq!(Dialect::Yjs.read(&[4, 0x80, 0x01]).unwrap(), Received::Durable(128));
        let message = [b"\x05notes".as_slice(), &[4, 0, 0]].concat();
        assert_eq!(Dialect::hocuspocus("notes").read(&message).unwrap(), Received::Other);
        assert!(Dialect::hocuspocus("others").read(&message).is_err());
    }
}

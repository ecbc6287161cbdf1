//! Minimal WebSocket client (RFC 6455) for a generator that must cost little: a server's frames are
//! not masked, so they are read where they arrived; those sent are masked with zeros, which changes
//! nothing. No extension is offered, so nothing is compressed.

use anyhow::{Result, bail, ensure};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};
use tokio::{
    io::Interest,
    net::{TcpSocket, TcpStream},
};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const LAST: u8 = 0x80;
const MASKED: u8 = 0x80;
/// Larger messages come from no server here.
const LONGEST: usize = 64 * 1024 * 1024;

/// An open connection.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

/// What a socket has received but not yet handed out.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Vec<u8>);

impl Socket {
    /// Connects from an address of this machine and upgrades the connection.
    pub(crate) async fn open(
        from: Ipv4Addr,
        address: SocketAddr,
        path: &str,
    ) -> Result<(Self, Inbox)> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let socket = Self(stream);
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        );
        socket.write(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        let end = loop {
            const END: &[u8] = b"\r\n\r\n";
            if let Some(at) = bytes.windows(END.len()).position(|window| window == END) {
                break at + END.len();
            }
            socket.read(&mut bytes).await?;
        };
        let rest = bytes.split_off(end);
        let head = String::from_utf8_lossy(&bytes);
        ensure!(head.starts_with("HTTP/1.1 101 "), "no upgrade: {}", head.trim());
        Ok((socket, Inbox(rest)))
    }

    /// Sends a binary message that the connection can take at once.
    ///
    /// # Errors
    /// The server reads too slowly: a generator that waited would no longer send at its own pace.
    pub(crate) fn post(&self, message: &[u8]) -> Result<()> {
        let frame = frame(BINARY, message);
        match self.0.try_write(&frame) {
            Ok(written) if written == frame.len() => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error.into()),
            _ => bail!("the server does not read what it is sent"),
        }
    }

    /// Sends a binary message, and waits until the connection has taken it.
    pub(crate) async fn send(&self, message: &[u8]) -> Result<()> {
        self.write(&frame(BINARY, message)).await
    }

    /// Waits for messages, and hands out all complete ones with the time of their arrival.
    pub(crate) async fn receive(
        &self,
        inbox: &mut Inbox,
        mut take: impl FnMut(Instant, &[u8]) -> Result<()>,
    ) -> Result<()> {
        loop {
            let now = Instant::now();
            let (mut at, mut messages) = (0, 0_usize);
            while let Some((kind, payload, end)) = next_frame(&inbox.0[at..])? {
                match kind {
                    BINARY => {
                        take(now, payload)?;
                        messages += 1;
                    }
                    PING => self.pong(payload)?,
                    CLOSE => bail!("the server closed the connection: {}", reason(payload)),
                    // Nothing here needs them.
                    TEXT | PONG => {}
                    other => bail!("a frame has the kind {other}"),
                }
                at += end;
            }
            inbox.0.drain(..at);
            if messages > 0 {
                return Ok(());
            }
            self.read(&mut inbox.0).await?;
        }
    }

    fn pong(&self, payload: &[u8]) -> Result<()> {
        let frame = frame(PONG, payload);
        ensure!(self.0.try_write(&frame)? == frame.len(), "a pong was cut");
        Ok(())
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.0.ready(Interest::WRITABLE).await?;
            match self.0.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn read(&self, into: &mut Vec<u8>) -> Result<()> {
        loop {
            self.0.ready(Interest::READABLE).await?;
            into.reserve(4 * 1024);
            match self.0.try_read_buf(into) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(LAST | kind);
    match payload.len() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        middle @ 126..65_536 => {
            frame.push(MASKED | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(MASKED | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Returns the kind of the next frame, its payload and its end, once all of it has arrived.
fn next_frame(bytes: &[u8]) -> Result<Option<(u8, &[u8], usize)>> {
    let [head, length, rest @ ..] = bytes else { return Ok(None) };
    ensure!(head & LAST != 0, "a message is divided into frames");
    ensure!(length & MASKED == 0, "a server's frame is masked");
    let (length, start) = match (length, rest) {
        (126, [a, b, ..]) => (usize::from(u16::from_be_bytes([*a, *b])), 4),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (usize::try_from(length)?, 10)
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (usize::from(*short), 2),
    };
    ensure!(length <= LONGEST, "a frame has {length} bytes");
    let end = start + length;
    Ok(bytes.get(start..end).map(|payload| (head & 0x0f, payload, end)))
}

fn reason(payload: &[u8]) -> String {
    match payload {
        [a, b, text @ ..] => {
            format!("{} {}", u16::from_be_bytes([*a, *b]), String::from_utf8_lossy(text))
        }
        _ => "without a code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Returns a frame as a server sends it: without the mask.
    fn served(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = frame(kind, payload);
        let key = frame.len() - payload.len() - 4;
        frame.drain(key..key + 4);
        frame[1] &= !MASKED;
        frame
    }

    #[rstest]
    #[case(0)]
    #[case(125)]
    #[case(126)]
    #[case(65_535)]
    #[case(65_536)]
    fn reads_frames_of_every_length_once_they_are_complete(#[case] length: usize) {
        let payload = vec![7; length];
        let bytes = [served(BINARY, &payload), served(PING, b"x")].concat();
        let (kind, read, end) = next_frame(&bytes).unwrap().unwrap();
        assert_eq!((kind, read), (BINARY, payload.as_slice()));
        assert_eq!(next_frame(&bytes[end..]).unwrap().unwrap().0, PING);
        for cut in [0, 1, end / 2, end - 1] {
            assert!(next_frame(&bytes[..cut]).unwrap().is_none(), "{cut} of {end}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        assert!(next_frame(&[BINARY, 0]).is_err());
        assert!(next_frame(&frame(BINARY, b"masked")).is_err());
        assert!(next_frame(&[LAST | BINARY, 127, 0, 0, 0, 1, 0, 0, 0, 0]).is_err());
    }
}

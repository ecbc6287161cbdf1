//! Minimal HTTP/1.1 client (RFC 9112) that takes little CPU time from the server: one keep-alive
//! connection, one request at a time.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Serialises a request; `headers` are complete lines that end with `\r\n`.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Status line and header lines as received.
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// Returns the body, or an error for status 400 and above.
    pub(crate) fn ok(self) -> Result<Vec<u8>> {
        if self.status >= 400 {
            bail!("{}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self.body)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    values.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Bytes received but not yet consumed.
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads the complete response.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Response> {
        self.stream.write_all(request).await?;
        let end = self.receive_until(b"\r\n\r\n").await?;
        let head = String::from_utf8(self.take(end))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no status in {head:?}"))?;
        let body = match (header(&head, "content-length"), header(&head, "transfer-encoding")) {
            (Some(length), _) => self.receive(length.parse()?).await?,
            (None, Some("chunked")) => self.receive_chunks().await?,
            _ => Vec::new(),
        };
        Ok(Response { status, head, body })
    }

    async fn receive_chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = self.receive_until(b"\r\n").await?;
            let line = String::from_utf8(self.take(end))?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            let chunk = self.receive(size + 2).await?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn receive(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.receive_more().await?;
        }
        Ok(self.take(length))
    }

    /// Receives up to and including the first `mark`; returns the number of bytes.
    async fn receive_until(&mut self, mark: &[u8]) -> Result<usize> {
        loop {
            let at = self.buffer.windows(mark.len()).position(|window| window == mark);
            if let Some(at) = at {
                return Ok(at + mark.len());
            }
            self.receive_more().await?;
        }
    }

    async fn receive_more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Connects to a server that answers two requests with these bytes, whatever they are.
    async fn connection_to(answer: &'static [u8]) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..2 {
                assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
                // Send in pieces, so that every part is split once.
                for byte in answer {
                    stream.write_all(&[*byte]).await.unwrap();
                }
            }
        });
        Connection::open(address).await.unwrap()
    }

    #[tokio::test]
    async fn reads_sized_and_chunked_bodies() {
        for answer in [
            b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nx-it: a: b \r\n\r\nhello".as_slice(),
            b"HTTP/1.1 201 Created\r\nX-It: a: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        ] {
            let mut connection = connection_to(answer).await;
            for _ in 0..2 {
                let response = connection.send(&request("GET", "/", "", b"")).await.unwrap();
                assert_eq!((response.status, response.header("x-it")), (201, Some("a: b")));
                assert_eq!(response.ok().unwrap(), b"hello");
            }
        }
    }
}

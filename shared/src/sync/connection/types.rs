use crate::sync::{CloseCode, DocumentNotice, Limits, Presence};

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// That of y-websocket.
    Yjs {
        /// `?acks=1`: durable updates are acknowledged.
        acks: bool,
    },
    /// The JSON protocol.
    Json,
}

/// What is known about a client when it connects.
#[derive(Debug, Clone)]
pub struct Options {
    /// What it speaks.
    pub protocol: Protocol,
    /// The lineage of its replica, if it names one.
    pub lineage: Option<String>,
    /// Its user.
    pub user_id: Option<String>,
    /// The name of its user.
    pub display_name: String,
    /// A random client id under which a client of the JSON protocol is present.
    pub presence_client: u64,
    /// Bounds of the connection.
    pub limits: Limits,
}

/// A message from the client.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a> {
    /// A binary message.
    Binary(&'a [u8]),
    /// A text message.
    Text(&'a str),
}

/// A message for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A binary message.
    Binary(Vec<u8>),
    /// A text message.
    Text(String),
}

/// What the owner of a connection has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a message.
    Send(Outgoing),
    /// Send a ping. The answer is reported with [`Connection::heard`](super::Connection::heard).
    Ping,
    /// Post an update to the room; its results are reported with [`Connection::posted`](super::Connection::posted).
    Post(Post),
    /// Ask the room what a replica with this state vector lacks; the answer is reported with
    /// [`Connection::missing`](super::Connection::missing).
    Missing(Vec<u8>),
    /// Announce a presence to the room.
    Present(Presence),
    /// Close the connection. It is the last effect.
    Close {
        /// Why.
        code: CloseCode,
        /// In words; cut by [`close_reason`](crate::sync::close_reason).
        reason: String,
    },
}

/// An update for the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its number among the posts of the connection, from 1.
    pub number: u64,
    /// Identifies it when it is sent again; the Yjs protocol has none.
    pub op_id: Option<String>,
    /// A Yjs update (v1).
    pub delta: Vec<u8>,
}

/// The room has an update in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// Its sequence number.
    pub seq: u64,
    /// It waits for another update and is not saved. Another result follows if that changes.
    pub pending: bool,
}

/// The room refuses an update or a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code with which a connection of the Yjs protocol is closed.
    pub close: CloseCode,
    /// The code of the problem document that the same request over HTTP would get.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What a replica lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Sequence number of the last update in it.
    pub seq: u64,
    /// The lineage to which it belongs.
    pub lineage: String,
    /// A Yjs update (v1).
    pub delta: Vec<u8>,
    /// What the room has (v1).
    pub state_vector: Vec<u8>,
}

/// What the room tells, besides updates.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The newest state of a client.
    Presence(&'a Presence),
    /// Something else about the document; the first one comes when the connection starts.
    Document(&'a DocumentNotice),
    /// The connection has to end, with this reason for the client.
    Closed(CloseCode, &'a str),
}

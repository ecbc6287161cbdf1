//! Encoding structs and deletions as a v1 update.

use super::{
    ROOT,
    gate::ClientRange,
    parse::{
        CONTENT_STRING, Content, HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, STRUCT_GC, STRUCT_SKIP, Struct,
    },
    varint::{write_buffer, write_uint},
};

/// Encodes structs and deletions, each grouped by client.
pub(super) fn encode(structs: &[&Struct<'_>], deletes: &[ClientRange]) -> Vec<u8> {
    let sections = || structs.chunk_by(|a, b| a.client == b.client);
    let mut bytes = Vec::new();
    write_uint(&mut bytes, sections().count() as u64);
    for section in sections() {
        let skips = section.windows(2).filter(|pair| pair[0].end() < pair[1].clock).count();
        let Struct { client, mut clock, .. } = *section[0];
        write_uint(&mut bytes, (section.len() + skips) as u64);
        write_uint(&mut bytes, client);
        write_uint(&mut bytes, u64::from(clock));
        for item in section {
            if clock < item.clock {
                bytes.push(STRUCT_SKIP);
                write_uint(&mut bytes, u64::from(item.clock - clock));
            }
            encode_struct(&mut bytes, item);
            clock = item.end();
        }
    }
    let sections = || deletes.chunk_by(|a, b| a.client == b.client);
    write_uint(&mut bytes, sections().count() as u64);
    for ranges in sections() {
        write_uint(&mut bytes, ranges[0].client);
        write_uint(&mut bytes, ranges.len() as u64);
        for range in ranges {
            write_uint(&mut bytes, u64::from(range.start));
            write_uint(&mut bytes, u64::from(range.end - range.start));
        }
    }
    bytes
}

fn encode_struct(bytes: &mut Vec<u8>, item: &Struct<'_>) {
    let text = match &item.content {
        Content::Text(text) => text,
        Content::Collected => {
            bytes.push(STRUCT_GC);
            return write_uint(bytes, u64::from(item.len));
        }
        Content::Deleted | Content::Format => return bytes.extend_from_slice(item.bytes),
    };
    let ids = [(item.origin, HAS_ORIGIN), (item.right_origin, HAS_RIGHT_ORIGIN)];
    let flags = ids.iter().filter(|(id, _)| id.is_some()).map(|(_, flag)| flag);
    bytes.push(flags.fold(CONTENT_STRING, |info, flag| info | flag));
    for Id { client, clock } in ids.into_iter().filter_map(|(id, _)| id) {
        write_uint(bytes, client);
        write_uint(bytes, u64::from(clock));
    }
    if item.origin.or(item.right_origin).is_none() {
        // The parent is a root.
        write_uint(bytes, 1);
        write_buffer(bytes, ROOT.as_bytes());
    }
    write_buffer(bytes, text.as_bytes());
}

//! What a text has that another one lacks, as whole blocks.
//!
//! Two people who write at the same place use the same words by chance. A comparison by words finds
//! these, and would cut both sentences there. So sentences and lines are compared first; words only
//! where a sentence was plainly edited, and at the ends of a block.

use super::{
    budget::{Budget, DEFAULT_BUDGET},
    edits::{Edit, WordComparer},
    lines::byte_range,
    sequence::{Change, Comparer, Interner, slide_down},
    words::MOST_WORD_BYTES,
};
use std::ops::Range;

/// Longest marker that goes with a block.
const MOST_MARKER_BYTES: usize = 256;

/// A block that the other text has in addition.
struct Addition {
    /// Where it belongs in the text that lacks it.
    at: usize,
    /// The block in the other text.
    block: Range<usize>,
    /// It stands beside words that the other text lacks.
    is_beside_lost: bool,
}

/// Returns `mine`, a changed copy of `saved`, with the blocks that `theirs` has and `saved` lacks.
pub(super) fn with_additions(saved: &str, mine: &str, theirs: &str) -> String {
    // Compared in the same way, so that the same change is found at the same place.
    let mut changes = block_edits(saved, mine).into_iter().peekable();
    let mut text = String::new();
    // The end of the last change, in `saved` and in `mine`, and what of `mine` is in the text.
    let (mut saved_at, mut mine_at, mut done) = (0, 0, 0);
    for Addition { at, block, is_beside_lost } in additions(saved, theirs) {
        let is_before = |it: &Edit| it.old.start < at || it.old == (at..at);
        let mut touching = None;
        while let Some(change) = changes.next_if(is_before) {
            (saved_at, mine_at) = (change.old.end, change.new.end);
            touching = (change.old.end >= at && !change.new.is_empty()).then_some(change.new);
        }
        let place = mine_at + at.saturating_sub(saved_at);
        let added = &theirs[block.clone()];
        let own = touching.map_or("", |range| &mine[range]);
        if !own.is_empty() && contains(own, added) {
            continue;
        }
        let is_in_added = !own.is_empty() && contains(added, own);
        text.push_str(&mine[done..place - if is_in_added { own.len() } else { 0 }]);
        done = place;
        if is_beside_lost || !own.is_empty() {
            text.push_str(between(&text, theirs, &block));
        }
        text.push_str(added);
        text.push_str(before_rest(added, &mine[place..], &theirs[block.end..]));
    }
    text.push_str(&mine[done..]);
    text
}

/// What keeps the words of a block apart from the text before it.
fn between(text: &str, theirs: &str, block: &Range<usize>) -> &'static str {
    let is_at_line_end = |text: &str| text.is_empty() || text.ends_with('\n');
    let added = &theirs[block.clone()];
    let rest = &theirs[block.end..];
    let ends_line = added.ends_with('\n') || rest.is_empty() || rest.starts_with('\n');
    if is_at_line_end(&theirs[..block.start]) && ends_line {
        return if is_at_line_end(text) { "" } else { "\n" };
    }
    let touch = text.ends_with(|it: char| it.is_alphanumeric() || matches!(it, '.' | '!' | '?'))
        && added.starts_with(char::is_alphanumeric);
    if touch { " " } else { "" }
}

/// What keeps the words of a block apart from `rest`, if other text follows it in `theirs`.
fn before_rest(added: &str, rest: &str, theirs: &str) -> &'static str {
    let touch = added.ends_with(char::is_alphanumeric) && rest.starts_with(char::is_alphanumeric);
    if !touch || theirs.starts_with(char::is_alphanumeric) {
        return "";
    }
    if theirs.starts_with('\n') { "\n" } else { " " }
}

/// Whether `part` is in `whole`: at its beginning, as if typed further, or as whole words.
fn contains(whole: &str, part: &str) -> bool {
    let is_whole = |(at, _): (usize, &str)| {
        let (before, after) = (&whole[..at], &whole[at + part.len()..]);
        let cuts = |one: &str, other: &str| {
            one.ends_with(char::is_alphanumeric) && other.starts_with(char::is_alphanumeric)
        };
        !cuts(before, part) && !cuts(part, after)
    };
    whole.starts_with(part) || whole.match_indices(part).any(is_whole)
}

/// The blocks that `theirs` has and `saved` lacks, in order.
fn additions(saved: &str, theirs: &str) -> Vec<Addition> {
    let found = block_edits(saved, theirs).into_iter().filter_map(|Edit { old, new }| {
        let (lost, added) = (&saved[old.clone()], &theirs[new.clone()]);
        if lost.starts_with(added) {
            return None;
        }
        // Typed further.
        let known = if added.starts_with(lost) { lost.len() } else { 0 };
        let is_beside_lost = known == 0 && !lost.is_empty();
        Some(Addition { at: old.end, block: new.start + known..new.end, is_beside_lost })
    });
    found.collect()
}

/// The edits between two texts. Each replaces a whole block, or words of an edited sentence.
fn block_edits(old: &str, new: &str) -> Vec<Edit> {
    let mut budget = Budget::new(DEFAULT_BUDGET);
    let groups = changed_sentences(old, new, &mut budget);
    let mut words = WordComparer::new(Comparer::default());
    let mut bytes_left = MOST_WORD_BYTES;
    let mut edits: Vec<Edit> = Vec::new();
    for group in groups {
        let (gone, added) = (&old[group.old.clone()], &new[group.new.clone()]);
        let left = bytes_left.checked_sub(gone.len() + added.len());
        let Some(left) = left.filter(|_| !gone.is_empty() && !added.is_empty()) else {
            edits.push(group);
            continue;
        };
        bytes_left = left;
        let finer = words.compare(gone, added, &mut budget).map(|edit| Edit {
            old: edit.old.start + group.old.start..edit.old.end + group.old.start,
            new: edit.new.start + group.new.start..edit.new.end + group.new.start,
        });
        let finer: Vec<_> = finer.collect();
        if is_one_sentence(old, new, &group, &finer) {
            edits.extend(finer);
        } else {
            let last = edits.last().map_or((0, 0), |it| (it.old.end, it.new.end));
            edits.push(with_marker(old, new, block(old, &group, &finer), last));
        }
    }
    edits
}

/// A block with what stands before it in its line, if this is a marker, a number or an indentation.
/// `last` is the end of the edit before.
fn with_marker(old: &str, new: &str, block: Edit, last: (usize, usize)) -> Edit {
    // A marker is short, and a line may be long.
    let from = old.floor_char_boundary(block.old.start.saturating_sub(MOST_MARKER_BYTES));
    let Some(line) =
        old[from..block.old.start].rfind('\n').map(|at| from + at + 1).or((from == 0).then_some(0))
    else {
        return block;
    };
    let marker = &old[line..block.old.start];
    let is_in_new = new[last.1..block.new.start].ends_with(marker);
    if !is_weak(marker) || line < last.0 || !is_in_new {
        return block;
    }
    Edit { old: line..block.old.end, new: block.new.start - marker.len()..block.new.end }
}

/// Whether two versions of a place are one text, edited by words.
fn is_one_sentence(old: &str, new: &str, group: &Edit, edits: &[Edit]) -> bool {
    let (all, added) = (letters(&old[group.old.clone()]), letters(&new[group.new.clone()]));
    let gone: usize = edits.iter().map(|edit| letters(&old[edit.old.clone()])).sum();
    let is_one_way =
        edits.iter().all(|it| it.old.is_empty()) || edits.iter().all(|it| it.new.is_empty());
    let (same, most) = (all - gone, all.max(added));
    (is_one_way && same * 2 >= most) || same * 4 >= most * 3
}

/// One edit instead of several. What both versions begin with is no part of it, because a restored
/// text may end within a sentence. What both end with is none if it is longer than what differs.
fn block(old: &str, group: &Edit, edits: &[Edit]) -> Edit {
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return group.clone() };
    let core = Edit { old: first.old.start..last.old.end, new: first.new.start..last.new.end };
    let end = &old[last.old.end..group.old.end];
    if !end.is_empty() && letters(end) >= core.old.len().max(core.new.len()) {
        return core;
    }
    Edit { old: core.old.start..group.old.end, new: core.new.start..group.new.end }
}

fn letters(text: &str) -> usize {
    text.chars().filter(|it| it.is_alphanumeric()).count()
}

/// The edits between two texts by sentences and lines. Between two edits there is an equal sentence
/// or line that is more than a blank line, a rule or the number of an item.
fn changed_sentences(old: &str, new: &str, budget: &mut Budget) -> Vec<Edit> {
    let mut interner = Interner::default();
    let mut number = |text| {
        let (mut numbers, mut starts) = (Vec::new(), vec![0]);
        let mut at = 0;
        for sentence in sentences(text) {
            numbers.push(interner.intern(sentence));
            at += sentence.len();
            starts.push(at);
        }
        (numbers, starts)
    };
    let ((old_numbers, old_starts), (new_numbers, new_starts)) = (number(old), number(new));
    let changes = Comparer::default().compare(&old_numbers, &new_numbers, budget);
    let changes = slide_down(changes, &(0..old_numbers.len()), |in_new, a, b| {
        let numbers = if in_new { &new_numbers } else { &old_numbers };
        numbers[a] == numbers[b]
    });
    let edit_of = |change: &Change| Edit {
        old: byte_range(&old_starts, &change.old),
        new: byte_range(&new_starts, &change.new),
    };
    let mut groups: Vec<Vec<Edit>> = Vec::new();
    for edit in changes.iter().map(edit_of) {
        match groups.last_mut() {
            Some(group)
                if group.last().is_some_and(|it| is_weak(&old[it.old.end..edit.old.start])) =>
            {
                group.push(edit);
            }
            _ => groups.push(vec![edit]),
        }
    }
    groups.into_iter().flat_map(joined).collect()
}

/// One edit for several with little between them, unless each side is whole without.
fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    match edits.as_slice() {
        [one, other]
            if (one.old.is_empty() && other.new.is_empty())
                || (one.new.is_empty() && other.old.is_empty()) =>
        {
            edits
        }
        [first, .., last] => {
            vec![Edit { old: first.old.start..last.old.end, new: first.new.start..last.new.end }]
        }
        _ => edits,
    }
}

/// Whether equal text between two changes can be there by chance.
fn is_weak(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        let is_item = line.ends_with(['.', ')']) && line.len() > 1;
        let number = line.strip_suffix(['.', ')']).unwrap_or(line);
        is_item && number.bytes().all(|it| it.is_ascii_digit())
            || !line.contains(char::is_alphanumeric)
    })
}

/// The sentences and lines of a text, with the white space and the line end after them.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (sentence, after) = rest.split_at(sentence_end(rest));
        rest = after;
        Some(sentence)
    })
}

fn sentence_end(text: &str) -> usize {
    for (at, it) in text.char_indices() {
        let after = at + it.len_utf8();
        match it {
            '\n' => return after,
            '.' | '!' | '?' | ';' | '。' | '！' | '？' | '；' => {
                let rest = &text[after..];
                let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
                let is_end = blank > 0 || blank == rest.len() || rest.starts_with('\n');
                if is_end || !matches!(it, '.' | '!' | '?') {
                    let end = after + blank;
                    return end + usize::from(text[end..].starts_with('\n'));
                }
            }
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;

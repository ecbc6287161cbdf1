//! Second check of rendered text (DESIGN §7): the HTML must have exactly the form that
//! `izanagi_shared::markdown` writes, with elements, attributes and addresses of an allow-list. If not,
//! the renderer has a bug, and the text is shown without formatting instead.
//!
//! In that form a browser cannot read anything differently: tags and quoted attributes in lower case,
//! five character references, every element closed, no element with rules of its own such as `svg`,
//! `style` or `template`. So one pass over the bytes is enough, which takes linear time for any text.
//! ammonia builds and writes a DOM, and its writer takes quadratic time (`docs/upstream.md`); tests
//! confirm that it finds nothing to remove in what passes here.

/// Allowed elements in order, each with its allowed attributes.
const ELEMENTS: &[(&str, &[&str])] = &[
    (
        "a",
        &["aria-hidden", "aria-label", "class", "dir", "href", "rel", "role", "tabindex", "title"],
    ),
    ("blockquote", &["data-line", "dir"]),
    ("br", &[]),
    ("code", &["class"]),
    ("del", &[]),
    ("div", &["aria-label", "class", "data-line", "role", "tabindex"]),
    ("em", &[]),
    ("h1", &["data-line", "dir", "id"]),
    ("h2", &["data-line", "dir", "id"]),
    ("h3", &["data-line", "dir", "id"]),
    ("h4", &["data-line", "dir", "id"]),
    ("h5", &["data-line", "dir", "id"]),
    ("h6", &["data-line", "dir", "id"]),
    ("hr", &["data-line"]),
    ("img", &["alt", "loading", "src", "title"]),
    ("input", &["aria-label", "checked", "class", "disabled", "type"]),
    ("li", &["data-line", "id"]),
    ("nav", &["aria-label", "class"]),
    ("ol", &["data-line", "dir", "start"]),
    ("p", &["class", "data-line", "dir"]),
    ("pre", &["class", "data-line", "dir", "tabindex"]),
    ("section", &["aria-label", "class", "role"]),
    ("span", &["class", "dir", "title"]),
    ("strong", &[]),
    ("sup", &["class", "id"]),
    ("table", &["dir"]),
    ("tbody", &[]),
    ("td", &["class"]),
    ("th", &["class", "scope"]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &["data-line", "dir"]),
];

/// Elements without an end tag.
const VOID: &[&str] = &["br", "hr", "img", "input"];

/// Attributes without which an element does something else: any other `input` takes input.
const REQUIRED: &[(&str, &[&str])] = &[("input", &["disabled", "type"])];

/// Values of attributes that have a fixed set of them.
const VALUES: &[(&str, &[&str])] = &[
    ("aria-hidden", &["true"]),
    ("checked", &[""]),
    ("dir", &["auto", "ltr"]),
    ("disabled", &[""]),
    ("loading", &["lazy"]),
    ("rel", &["noopener noreferrer nofollow"]),
    ("role", &["doc-backlink", "doc-endnotes", "doc-noteref", "region"]),
    ("scope", &["col"]),
    ("tabindex", &["-1", "0"]),
    ("type", &["checkbox"]),
];

const CLASSES: &[&str] = &[
    "align-center",
    "align-left",
    "align-right",
    "code-block",
    "footnote-back",
    "footnote-ref",
    "footnotes",
    "heading-link",
    "outside-host",
    "outside-image",
    "plain-text",
    "raw-html",
    "refused-image",
    "refused-link",
    "table-scroll",
    "task",
    "toc",
];

/// Character references in text and values.
const REFERENCES: &[&str] = &["&amp;", "&gt;", "&lt;", "&nbsp;", "&quot;"];

/// Browsers stop nesting at this depth.
const MAX_DEPTH: usize = 512;

/// Returns whether HTML contains only what is on the allow-list, in the form that the renderer writes.
/// `outside_images` allows images of other hosts.
pub(super) fn is_allowed(html: &str, outside_images: bool) -> bool {
    read(html, outside_images).is_some()
}

/// Reads HTML to its end; `None` if it is not allowed. A search that finds nothing ends the reading, so
/// no byte is read more than a few times.
fn read(html: &str, outside_images: bool) -> Option<()> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    loop {
        let end = rest.find('<').unwrap_or(rest.len());
        let (text, tag) = rest.split_at(end);
        is_text(text).then_some(())?;
        let Some(tag) = tag.strip_prefix('<') else { break };
        rest = match tag.strip_prefix('/') {
            Some(tag) => tag.strip_prefix(open.pop()?)?.strip_prefix('>')?,
            None => read_start(tag, &mut open, outside_images)?,
        };
    }
    open.is_empty().then_some(())
}

/// Reads a start tag after its `<`. Returns what follows it.
fn read_start<'h>(tag: &'h str, open: &mut Vec<&'h str>, outside_images: bool) -> Option<&'h str> {
    let end = tag.bytes().position(|byte| matches!(byte, b' ' | b'>'))?;
    let (name, mut rest) = tag.split_at(end);
    let found = ELEMENTS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    let (_, attributes) = ELEMENTS.get(found)?;
    // Bit i stands for attribute i: none may be repeated.
    let mut seen = 0_u32;
    while let Some(attribute) = rest.strip_prefix(' ') {
        let (attribute, value) = attribute.split_once('=')?;
        let value = value.strip_prefix('"')?;
        let at = attributes.iter().position(|known| *known == attribute)?;
        (seen & (1 << at) == 0).then_some(())?;
        seen |= 1 << at;
        let (value, after) = value.split_once('"')?;
        is_value(attribute, value).then_some(())?;
        (attribute != "src" || outside_images || is_own(value)).then_some(())?;
        rest = after;
    }
    let required = REQUIRED.iter().find(|(known, _)| *known == name);
    let is_seen = |attribute: &&str| {
        attributes
            .iter()
            .position(|known| known == attribute)
            .is_some_and(|at| seen & (1 << at) != 0)
    };
    required.is_none_or(|(_, required)| required.iter().all(is_seen)).then_some(())?;
    if !VOID.contains(&name) {
        (open.len() < MAX_DEPTH && (name != "a" || !open.contains(&"a"))).then_some(())?;
        open.push(name);
    }
    rest.strip_prefix('>')
}

/// Returns whether text has no markup and only the known character references.
fn is_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        0 | b'<' | b'>' => false,
        b'&' => REFERENCES.iter().any(|name| bytes[at..].starts_with(name.as_bytes())),
        _ => true,
    })
}

fn is_value(attribute: &str, value: &str) -> bool {
    if let Some((_, values)) = VALUES.iter().find(|(known, _)| *known == attribute) {
        return values.contains(&value);
    }
    let is_number = || !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match attribute {
        "data-line" | "start" => is_number(),
        "class" => CLASSES.contains(&value) || is_code_class(value),
        "id" => {
            let has_prefix = ["h-", "fn-", "fnref-"].iter().any(|prefix| value.starts_with(prefix));
            has_prefix && is_text(value)
        }
        "href" => is_address(value, &["http", "https", "mailto"]),
        "src" => is_address(value, &["http", "https"]),
        _ => is_text(value),
    }
}

fn is_code_class(class: &str) -> bool {
    let name = class.strip_prefix("language-").or_else(|| class.strip_prefix("tok-"));
    let is_part = |byte: u8| byte.is_ascii_lowercase() || b"0123456789+-._#".contains(&byte);
    name.is_some_and(|name| name.bytes().all(is_part))
}

/// Returns whether an address consists of the characters of a URI (RFC 3986 §2), which no browser
/// reads differently, and has no scheme or one of these. `&` is written as `&amp;`.
fn is_address(value: &str, schemes: &[&str]) -> bool {
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    let ampersands = value.matches('&').count() == value.matches("&amp;").count();
    let end = value.find([':', '/', '?', '#']).filter(|&end| value[end..].starts_with(':'));
    let scheme = end.map(|end| value[..end].to_ascii_lowercase());
    value.bytes().all(is_part)
        && ampersands
        && scheme.is_none_or(|scheme| schemes.contains(&scheme.as_str()))
}

/// Returns whether an allowed address is on the page's own host: it has no scheme, and no host after
/// two slashes.
fn is_own(address: &str) -> bool {
    !address.starts_with("//") && is_address(address, &[])
}

#[cfg(test)]
mod tests;

//! What the migrations create, read from their text, so that no list has to be kept in step.

/// A kind of object in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A table.
    Table,
    /// An index that is not part of a constraint.
    Index,
}

impl Kind {
    const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Table => &["TABLE"],
            Self::Index => &["INDEX", "UNIQUE INDEX"],
        }
    }

    pub(super) const fn subject(self) -> &'static str {
        match self {
            Self::Table => "tables",
            Self::Index => "indexes",
        }
    }
}

/// Names of the objects of a kind that exist after these steps. Each CREATE and DROP begins a line.
pub(crate) fn names<'a>(steps: impl IntoIterator<Item = &'a str>, kind: Kind) -> Vec<String> {
    let mut names = Vec::new();
    for line in steps.into_iter().flat_map(str::lines) {
        for what in kind.words() {
            if let Some(name) = named(line, "CREATE", what) {
                names.push(name.to_owned());
            } else if let Some(name) = named(line, "DROP", what) {
                names.retain(|known| known != name);
            }
        }
    }
    names
}

fn named<'a>(line: &'a str, verb: &str, what: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(verb)?.trim_start().strip_prefix(what)?.strip_prefix(' ')?;
    rest.trim_start().split([' ', '(', ';']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_steps() {
        let steps = [
            "-- Why.\nCREATE TABLE a (\n    id INTEGER\n);\nCREATE INDEX idx_a ON a (id);",
            "CREATE UNIQUE INDEX uq_a ON a (id);\nDROP INDEX idx_a;\nCREATE TABLE b (id INTEGER);",
        ];
        assert_eq!(names(steps, Kind::Table), ["a", "b"]);
        assert_eq!(names(steps, Kind::Index), ["uq_a"]);
    }
}

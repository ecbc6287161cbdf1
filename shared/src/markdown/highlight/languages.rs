//! Language tables.

use super::language::{
    ANY_CASE, AT_META, BRACKET_META, CALLS, CAPITAL_TYPES, COLON_KEYS, DASH_WORDS,
    DOLLAR_VARIABLES, EQUALS_KEYS, HASH_META, LINES, Language, MARKUP, Quote, RUST, SPACED_SIGNS,
    SYMBOLS,
};

const DOUBLE: Quote = Quote { open: "\"", close: "\"", escapes: true, lines: false };
const SINGLE: Quote = Quote { open: "'", close: "'", escapes: true, lines: false };
const DOUBLE_LINES: Quote = Quote { lines: true, ..DOUBLE };
const SINGLE_LINES: Quote = Quote { lines: true, ..SINGLE };
const BACKTICK: Quote = Quote { open: "`", close: "`", escapes: true, lines: true };
const TRIPLE_DOUBLE: Quote = Quote { open: "\"\"\"", close: "\"\"\"", escapes: true, lines: true };
const TRIPLE_SINGLE: Quote = Quote { open: "'''", close: "'''", escapes: true, lines: true };

const C_COMMENT: Option<(&str, &str)> = Some(("/*", "*/"));

const NONE: Language = Language {
    names: "",
    line_comments: &[],
    block_comment: None,
    strings: &[],
    keywords: "",
    constants: "",
    types: "",
    flags: 0,
};

/// All languages with highlighting.
pub(super) static LANGUAGES: &[Language] = &[
    Language {
        names: "rust rs",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[DOUBLE_LINES],
        keywords: "as async await break const continue crate dyn else enum extern fn for gen if \
                   impl in let loop macro_rules match mod move mut pub ref return self static \
                   struct super trait type union unsafe use where while yield",
        constants: "false true",
        types: "bool char f32 f64 i128 i16 i32 i64 i8 isize str u128 u16 u32 u64 u8 usize",
        flags: RUST | CAPITAL_TYPES | CALLS,
    },
    Language {
        names: "python py",
        line_comments: &["#"],
        strings: &[TRIPLE_DOUBLE, TRIPLE_SINGLE, DOUBLE, SINGLE],
        keywords: "and as assert async await break case class continue def del elif else except \
                   finally for from global if import in is lambda match nonlocal not or pass \
                   raise return self try while with yield",
        constants: "False None True",
        types: "bool bytes dict float frozenset int list object set str tuple",
        flags: CAPITAL_TYPES | CALLS | AT_META,
        ..NONE
    },
    Language {
        names: "javascript js mjs cjs jsx typescript ts mts cts tsx",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[DOUBLE, SINGLE, BACKTICK],
        keywords: "abstract as async await break case catch class const continue debugger declare \
                   default delete do else enum export extends finally for from function get if \
                   implements import in infer instanceof interface is keyof let namespace new of \
                   private protected public readonly return satisfies set static super switch \
                   this throw try type typeof var void while with yield",
        constants: "Infinity NaN false null true undefined",
        types: "any bigint boolean never number object string symbol unknown",
        flags: CAPITAL_TYPES | CALLS | AT_META | DOLLAR_VARIABLES,
    },
    Language {
        names: "json jsonc json5",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[DOUBLE],
        constants: "false null true",
        flags: COLON_KEYS,
        ..NONE
    },
    Language {
        names: "html xml svg htm xhtml vue",
        block_comment: Some(("<!--", "-->")),
        flags: MARKUP,
        ..NONE
    },
    Language {
        names: "css scss less",
        block_comment: C_COMMENT,
        strings: &[DOUBLE, SINGLE],
        keywords: "and from important not only or to",
        constants: "auto currentcolor inherit initial none revert transparent unset",
        flags: DASH_WORDS | COLON_KEYS | AT_META | CALLS | DOLLAR_VARIABLES,
        ..NONE
    },
    Language {
        names: "bash sh shell zsh console",
        line_comments: &["#"],
        strings: &[DOUBLE_LINES, Quote { escapes: false, ..SINGLE_LINES }],
        keywords: "alias break case cd continue declare do done echo elif else esac eval exec exit \
                   export fi for function if in local printf read readonly return set shift \
                   source then trap unset until while",
        constants: "false true",
        flags: DASH_WORDS | DOLLAR_VARIABLES | SPACED_SIGNS,
        ..NONE
    },
    Language {
        names: "sql postgresql postgres pgsql mysql sqlite",
        line_comments: &["--"],
        block_comment: C_COMMENT,
        strings: &[Quote { escapes: false, ..SINGLE_LINES }, Quote { escapes: false, ..DOUBLE }],
        keywords: "add all alter and any as asc begin between by cascade case check column commit \
                   conflict constraint create cross database default delete desc distinct do drop \
                   else end except exists explain foreign from full function grant group having \
                   if ilike in index inner insert intersect into is join key left like limit not \
                   nothing on or order outer over partition primary recursive references \
                   returning revoke right rollback row select set table then to transaction \
                   trigger truncate union unique update using values view when where with",
        constants: "false null true",
        types: "bigint blob boolean bytea char date decimal double float int integer interval json \
                jsonb numeric real serial smallint text time timestamp timestamptz uuid varchar",
        flags: ANY_CASE | CALLS,
    },
    Language {
        names: "go golang",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[DOUBLE, SINGLE, Quote { escapes: false, ..BACKTICK }],
        keywords: "break case chan const continue default defer else fallthrough for func go goto \
                   if import interface map package range return select struct switch type var",
        constants: "false iota nil true",
        types: "any bool byte complex128 complex64 error float32 float64 int int16 int32 int64 \
                int8 rune string uint uint16 uint32 uint64 uint8 uintptr",
        flags: CALLS,
    },
    Language {
        names: "java kotlin kt scala",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[TRIPLE_DOUBLE, DOUBLE, SINGLE],
        keywords: "abstract assert break case catch class continue data default do else enum \
                   extends final finally for fun if implements import in instanceof interface is \
                   native new object override package permits private protected public record \
                   return sealed static super switch synchronized this throw throws transient try \
                   val var volatile when while yield",
        constants: "false null true",
        types: "boolean byte char double float int long short void",
        flags: CAPITAL_TYPES | CALLS | AT_META,
    },
    Language {
        names: "c cpp c++ h hpp cc cxx",
        line_comments: &["//"],
        block_comment: C_COMMENT,
        strings: &[DOUBLE, SINGLE],
        keywords: "alignas alignof auto break case catch class co_await co_return co_yield concept \
                   const constexpr continue decltype default delete do else enum explicit export \
                   extern final for friend goto if inline mutable namespace new noexcept operator \
                   override private protected public register requires return sizeof static \
                   static_assert struct switch template this throw try typedef typename union \
                   using virtual volatile while",
        constants: "NULL false nullptr true",
        types: "bool char double float int int16_t int32_t int64_t int8_t long short signed size_t \
                ssize_t uint16_t uint32_t uint64_t uint8_t unsigned void wchar_t",
        flags: CALLS | HASH_META,
    },
    Language {
        names: "yaml yml",
        line_comments: &["#"],
        strings: &[DOUBLE, Quote { escapes: false, ..SINGLE }],
        constants: "false no null off on true yes",
        flags: COLON_KEYS | DASH_WORDS | SPACED_SIGNS,
        ..NONE
    },
    Language {
        names: "toml ini",
        line_comments: &["#"],
        strings: &[
            TRIPLE_DOUBLE,
            Quote { escapes: false, ..TRIPLE_SINGLE },
            DOUBLE,
            Quote { escapes: false, ..SINGLE },
        ],
        constants: "false inf nan true",
        flags: EQUALS_KEYS | DASH_WORDS | BRACKET_META,
        ..NONE
    },
    Language {
        names: "ruby rb",
        line_comments: &["#"],
        strings: &[DOUBLE_LINES, SINGLE_LINES],
        keywords: "alias and begin break case class def do else elsif end ensure extend for if in \
                   include module next not or private protected public raise redo require rescue \
                   retry return self super then undef unless until when while yield",
        constants: "false nil true",
        flags: CAPITAL_TYPES | CALLS | DOLLAR_VARIABLES | SYMBOLS,
        ..NONE
    },
    Language { names: "diff patch", flags: LINES, ..NONE },
];

/// Finds a language by its name in lower case.
pub(super) fn find(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.names.split(' ').any(|known| known == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn word_lists_are_in_ascii_order() {
        for language in LANGUAGES {
            for list in [language.keywords, language.constants, language.types] {
                let words: Vec<_> = list.split_ascii_whitespace().collect();
                assert!(words.is_sorted_by(|a, b| a < b), "{}: {words:?}", language.names);
            }
        }
    }

    #[test]
    fn every_name_is_listed_only_once() {
        let mut seen = HashSet::new();
        for name in LANGUAGES.iter().flat_map(|language| language.names.split(' ')) {
            assert!(seen.insert(name), "{name} is listed twice");
        }
        assert!(find("mermaid").is_none());
    }

    #[test]
    fn longer_quotes_are_tried_first() {
        for language in LANGUAGES {
            let lengths: Vec<_> = language.strings.iter().map(|quote| quote.open.len()).collect();
            assert!(lengths.is_sorted_by(|a, b| a >= b), "{}", language.names);
        }
    }
}

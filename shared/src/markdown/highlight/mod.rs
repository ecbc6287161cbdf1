//! Syntax highlighting: one scanner driven by a table per language.
//!
//! It recognises comments, strings, numbers and words but no grammar, which keeps it at a few
//! kilobytes of WebAssembly and linear time. Punctuation is not highlighted.
//!
//! Classes: `tok-comment`, `tok-string`, `tok-number`, `tok-keyword`, `tok-constant`, `tok-type`,
//! `tok-function`, `tok-variable`, `tok-attr` (keys and attributes), `tok-tag`, `tok-meta`
//! (annotations, preprocessor directives, section titles, diff headers), `tok-inserted`,
//! `tok-deleted`.

mod language;
mod languages;
mod markup;
mod measure;
mod scanner;
mod words;

use super::escape::push_text;
use scanner::Scanner;

/// Returns the code as escaped HTML with `<span class="tok-…">` around each highlighted token.
/// Removing the tags and unescaping gives back the code.
///
/// `language` is a name as used after a code fence, in lower case (`rust`, `rs`, `c++` …). Code in
/// an unknown language is only escaped.
#[must_use]
pub fn highlight(code: &str, language: &str) -> String {
    let mut out = String::with_capacity(2 * code.len());
    push_highlighted(&mut out, code, language);
    out
}

/// Appends the result of [`highlight`] to `out`.
pub(super) fn push_highlighted(out: &mut String, code: &str, language: &str) {
    match languages::find(language) {
        Some(language) => Scanner::new(code, language, out).run(),
        None => push_text(out, code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// Abbreviates spans: `[k:let]` for class `tok-keyword`, and so on by the first letter of the
    /// class.
    fn shorten(html: &str) -> String {
        let mut out = String::new();
        for (index, part) in html.split("<span class=\"tok-").enumerate() {
            match part.split_once("\">") {
                Some((class, rest)) if index > 0 => {
                    out.push_str(&format!("[{}:", &class[..1]));
                    out.push_str(&rest.replacen("</span>", "]", 1));
                }
                _ => out.push_str(part),
            }
        }
        unescape(&out)
    }

    fn unescape(html: &str) -> String {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&nbsp;", "\u{a0}")
            .replace("&amp;", "&")
    }

    fn strip_tags(html: &str) -> String {
        let parts = html.split('<').enumerate().map(|(index, part)| match index {
            0 => part,
            _ => part.split_once('>').map_or("", |(_, text)| text),
        });
        unescape(&parts.collect::<String>())
    }

    #[rstest]
    // Rust: nested comments, raw strings, characters and lifetimes, macros
    #[case("rust", "let x: u8 = 0xff_u8; // é", "[k:let] x: [t:u8] = [n:0xff_u8]; [c:// é]")]
    #[case("rs", "/* a /* b */ c */ fn", "[c:/* a /* b */ c */] [k:fn]")]
    #[case("rs", "r#\"a\"b\"# br\"\\\" r#type", "[s:r#\"a\"b\"#] [s:br\"\\\"] r#[k:type]")]
    #[case("rs", "'a' '\\'' &'a str 'é'", "[s:'a'] [s:'\\''] &'a [t:str] [s:'é']")]
    #[case("rs", "vec![Some(1)] f(x).r#in", "[f:vec]![[t:Some]([n:1])] [f:f](x).r#[k:in]")]
    #[case("rs", "1..2 1.5e-3 MAX Vec", "[n:1]..[n:2] [n:1.5e-3] [c:MAX] [t:Vec]")]
    #[case("python", "@a.b\ndef f(s: str): # x", "[m:@a.b]\n[k:def] [f:f](s: [t:str]): [c:# x]")]
    #[case("py", "f'''a\n'b' ''' 'c\nd", "f[s:'''a\n'b' '''] [s:'c]\nd")]
    #[case("js", "a.default = `x ${\n1}` + 'it\\'s'", "a.default = [s:`x ${\n1}`] + [s:'it\\'s']")]
    #[case("tsx", "const A: string = null;", "[k:const] [t:A]: [t:string] = [c:null];")]
    #[case(
        "json",
        "{\"a\" : \"b\", \"c\": 1e+9, \"d\":true}",
        "{[a:\"a\"] : [s:\"b\"], [a:\"c\"]: [n:1e+9], [a:\"d\"]:[c:true]}"
    )]
    #[case(
        "html",
        "<a href=\"x\" b=c>d &amp; e</a>",
        "<[t:a] [a:href]=[s:\"x\"] [a:b]=[s:c]>d [c:&amp;] e</[t:a]>"
    )]
    #[case(
        "xml",
        "<!-- <a> --><?xml v='1'?><!DOCTYPE x>",
        "[c:<!-- <a> -->]<?[t:xml] [a:v]=[s:'1']?><![t:DOCTYPE] [a:x]>"
    )]
    #[case(
        "html",
        "<script>if (a<b) {}</SCRIPT><p>",
        "<[t:script]>[k:if] (a<b) {}</[t:SCRIPT]><[t:p]>"
    )]
    #[case(
        "css",
        "@media x { a-b: 10px; } /* c */",
        "[m:@media] x { [a:a-b]: [n:10px]; } [c:/* c */]"
    )]
    #[case(
        "bash",
        "if [ \"$a\" ]; then echo $b ${c} # d\nfi",
        "[k:if] [ [s:\"$a\"] ]; [k:then] [k:echo] [v:$b] [v:${c}] [c:# d]\n[k:fi]"
    )]
    #[case("sh", "a=$# 'x\\' b", "a=$# [s:'x\\'] b")]
    #[case("sql", "SELECT 'it''s' FROM t -- x", "[k:SELECT] [s:'it'][s:'s'] [k:FROM] t [c:-- x]")]
    #[case(
        "go",
        "func f() error { return `a\\` }",
        "[k:func] [f:f]() [t:error] { [k:return] [s:`a\\`] }"
    )]
    #[case(
        "java",
        "@Override int f() { return \"a\"; }",
        "[m:@Override] [t:int] [f:f]() { [k:return] [s:\"a\"]; }"
    )]
    #[case("c++", "  #include <a>\nint x = 'a';", "  [m:#include] <a>\n[t:int] x = [s:'a'];")]
    #[case("yaml", "a-b: don't # c\n\"d\": a#b", "[a:a-b]: don't [c:# c]\n[a:\"d\"]: a#b")]
    #[case(
        "toml",
        "[a.b]\nc-d = 'e' # f\nx = [\n[1]]",
        "[m:[a.b]]\n[a:c-d] = [s:'e'] [c:# f]\n[a:x] = [\n[[n:1]]]"
    )]
    #[case(
        "ruby",
        "def f; @a = :b if A::B; end",
        "[k:def] f; [v:@a] = [c::b] [k:if] [t:A]::[t:B]; [k:end]"
    )]
    #[case(
        "diff",
        "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z",
        "[m:--- a]\n[m:+++ b]\n[m:@@ -1 +1 @@]\n[d:-x]\n[i:+y]\n z"
    )]
    #[case("mermaid", "graph TD; A-->B", "graph TD; A-->B")]
    fn highlights_tokens_of_a_language(
        #[case] language: &str,
        #[case] code: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(shorten(&highlight(code, language)), expected);
    }

    #[rstest]
    #[case("rust", "/*")]
    #[case("rust", "r####\"")]
    #[case("rust", "'\\u{")]
    #[case("python", "\"\"\"a\\")]
    #[case("html", "<a b='")]
    #[case("html", "<script>")]
    #[case("bash", "${")]
    fn keeps_code_with_unclosed_tokens(#[case] language: &str, #[case] code: &str) {
        assert_eq!(strip_tags(&highlight(code, language)), code);
    }

    /// Generates fragments that start or end a token in some language.
    fn code() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[ -~\n\r\té日👍\u{a0}]{0,6}",
            prop::sample::select(vec![
                "\"", "'", "`", "\"\"\"", "'''", "\\", "/*", "*/", "//", "#", "--", "<!--", "-->",
                "<a ", ">", "</", "<script>", "</script", "r#\"", "\"#", "br", "'a'", "${", "}",
                "$x", "@", ":", "=", "[", "]", "\n", "+", "-", "1.5e", "0x", "if ", "Self", "é",
                "👍",
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    /// Returns one name of each language.
    fn languages() -> Vec<&'static str> {
        languages::LANGUAGES.iter().filter_map(|known| known.names.split(' ').next()).collect()
    }

    proptest! {
        #[test]
        fn stripping_tags_restores_the_code(
            code in code(),
            language in prop::sample::select(languages()),
        ) {
            prop_assert_eq!(strip_tags(&highlight(&code, language)), code);
        }
    }

    #[rstest]
    #[case("/*")]
    #[case("r#")]
    #[case("r\"#")]
    #[case("'")]
    #[case("\"\\")]
    #[case("${")]
    #[case("<a ")]
    #[case("<script>")]
    #[case("<!--")]
    #[case("</")]
    #[case("&a")]
    #[case("@a.")]
    #[case("a ")]
    #[case("\n[")]
    #[case(" #")]
    #[case("1e+")]
    fn highlighting_takes_linear_time(#[case] piece: &str) {
        for name in languages() {
            let code = piece.repeat(200_000 / piece.len());
            let start = std::time::Instant::now();
            let html = highlight(&code, name);
            // A quadratic step would take minutes for 200,000 characters in a debug build.
            assert!(start.elapsed().as_secs() < 5, "{name}: {:?}", start.elapsed());
            assert!(html.len() < 40 * code.len());
        }
    }
}

//! Files with the texts of scripts: JSON, one for each language and bundle. Their paths contain a
//! hash of the contents, so that browsers keep them.

use super::{Language, language};
use crate::{
    components::Bundle,
    words::{COMMON_TEXTS, EDITOR_TEXTS, Entry, PAGE_TEXTS, PHRASE_TEXTS, PHRASES, PROBLEM_TEXTS},
};
use serde_json::{Map, Value};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

struct File {
    language: Language,
    is_editor: bool,
    path: String,
    text: String,
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let languages = Language::ALL.into_iter();
    languages
        .flat_map(|language| [false, true].map(|is_editor| file(language, is_editor)))
        .collect()
});

fn file(language: Language, is_editor: bool) -> File {
    let object = |tables: &[&[Entry]]| -> Map<String, Value> {
        let entries = tables.iter().copied().flatten();
        let texts =
            entries.map(|entry| (entry.key.to_owned(), entry.texts[language.index()].into()));
        texts.collect()
    };
    let own = if is_editor { EDITOR_TEXTS } else { PAGE_TEXTS };
    let mut texts = object(&[COMMON_TEXTS, PROBLEM_TEXTS, own]);
    if is_editor {
        texts.insert(PHRASES.to_owned(), object(&[PHRASE_TEXTS]).into());
    }
    let text = Value::from(texts).to_string();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let name = if is_editor { "editor" } else { "pages" };
    let path = format!("/words/{:016x}/{}-{name}.json", hasher.finish(), language.code());
    File { language, is_editor, path, text }
}

/// Returns the path of the texts of a bundle in the request's language.
pub(crate) fn words_path(bundle: Bundle) -> &'static str {
    let (language, is_editor) = (language(), bundle == Bundle::Editor);
    let is_it = |file: &&File| file.language == language && file.is_editor == is_editor;
    FILES.iter().find(is_it).map_or("", |file| file.path.as_str())
}

/// Returns the contents of such a path, if it is one of this build.
#[must_use]
pub fn words_file(path: &str) -> Option<&'static str> {
    FILES.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_the_texts_of_its_language_and_bundle() {
        assert_eq!(FILES.len(), 6);
        for file in FILES.iter() {
            let texts: Value = serde_json::from_str(words_file(&file.path).unwrap()).unwrap();
            let dismiss = ["Dismiss", "閉じる", "关闭"][file.language.index()];
            assert_eq!(texts["dismiss"], dismiss);
            assert_eq!(texts["phrases"]["Find"].is_string(), file.is_editor);
            assert_eq!(texts["upload"].is_string(), !file.is_editor);
        }
        assert_eq!(words_file("/words/0/en-pages.json"), None);
    }
}

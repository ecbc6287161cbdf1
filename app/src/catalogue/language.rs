//! The language of a request: the cookie `izanagi_language`, else `Accept-Language`, else English.

use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

/// Cookie with the language that the user chose.
pub(crate) const COOKIE: &str = "izanagi_language";

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
    /// Simplified Chinese.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Every language, in the order of the catalogue.
    pub const ALL: [Self; 3] = [Self::English, Self::Japanese, Self::Chinese];

    /// Returns the language of a request. A cookie with an unknown value is ignored.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs =
            lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let chosen =
            pairs.find(|(name, _)| *name == COOKIE).and_then(|(_, code)| Self::named(code));
        let accepted = || {
            let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter();
            best_of(lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')))
        };
        chosen.or_else(accepted).unwrap_or_default()
    }

    /// Returns the language with this code.
    #[must_use]
    pub fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// Returns the ISO 639-1 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
            Self::Chinese => "zh",
        }
    }

    /// Returns the language tag of a page (BCP 47). Browsers choose the shapes of shared
    /// characters by it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
            Self::Chinese => "zh-Hans",
        }
    }

    /// Returns the language's own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Japanese => "日本語",
            Self::Chinese => "简体中文",
        }
    }

    /// Returns its position in an entry of the catalogue.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::English => 0,
            Self::Japanese => 1,
            Self::Chinese => 2,
        }
    }
}

/// Returns the known language with the highest quality (RFC 9110 §12.5.4); the first of equals.
fn best_of<'a>(ranges: impl Iterator<Item = &'a str>) -> Option<Language> {
    let mut best: Option<(Language, u16)> = None;
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let main = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(quality).unwrap_or(1_000);
        if let Some(language) = Language::named(&main)
            && quality > best.map_or(0, |(_, quality)| quality)
        {
            best = Some((language, quality));
        }
    }
    best.map(|(language, _)| language)
}

/// Parses `q=0.8` as thousandths; 0 for an invalid value.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value: f32 = value.trim().parse().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let thousandths = (value.clamp(0.0, 1.0) * 1_000.0) as u16;
    Some(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case("", "", "en")]
    #[case("ja", "", "ja")]
    #[case("zh-CN,zh;q=0.9,en;q=0.8", "", "zh")]
    #[case("de, en;q=0.5, JA-jp;q=0.7", "", "ja")]
    #[case("fr, ja;q=0, zh;q=0.1", "", "zh")]
    #[case("en;q=0.8, ja;q=0.8", "", "en")]
    #[case("*, ja;q=x", "", "en")]
    #[case("NaN;q=NaN, zh;q=NaN", "", "en")]
    #[case("ja", "a=b; izanagi_language=zh", "zh")]
    #[case("ja", "izanagi_language=xx", "ja")]
    #[case("ja", "language=zh", "ja")]
    fn the_cookie_overrides_the_browser(
        #[case] accepted: &str,
        #[case] cookie: &str,
        #[case] code: &str,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        assert_eq!(Language::of(&headers).code(), code);
    }

    #[test]
    fn each_language_is_found_by_its_code_and_index() {
        for (index, language) in Language::ALL.into_iter().enumerate() {
            assert_eq!(Language::named(language.code()), Some(language));
            assert_eq!(language.index(), index);
        }
    }
}

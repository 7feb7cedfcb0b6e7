//! How a reader wants the screens: language and appearance, kept in cookies so that the server
//! renders the right one at once.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};

use super::words::{Language, Texts};
use crate::auth::cookie;
use crate::body::Form;
use crate::routes::{Gives, Permission, Route, Takes};

/// A year, in seconds.
const YEAR: u32 = 365 * 24 * 60 * 60;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::post("/look", "choose_look")
            .says("Keeps language and appearance in cookies.")
            .permit(Permission::Open)
            .takes(Takes::Form(&["language", "theme", "back"]))
            .answers(303, Gives::Nothing)
            .to(choose),
    ]
}

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the machine is set.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// As in the cookie and the page.
    pub fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// How a reader wants the screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// The language.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
}

impl Look {
    /// What cookies say, then what the browser prefers, then English.
    pub fn of(headers: &HeaderMap) -> Self {
        let language = match cookie(headers, "sr_lang") {
            Some("ja") => Language::Ja,
            Some("en") => Language::En,
            _ => preferred(headers),
        };
        let theme = match cookie(headers, "sr_theme") {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        Self { language, theme }
    }

    /// The words in that language.
    pub fn words(self) -> &'static Texts {
        Texts::in_language(self.language)
    }
}

/// The first of our languages in the browser's list.
fn preferred(headers: &HeaderMap) -> Language {
    let list = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let tags = list.unwrap_or_default().split(',').map(|tag| tag.trim().to_ascii_lowercase());
    for tag in tags {
        if tag.starts_with("ja") {
            return Language::Ja;
        }
        if tag.starts_with("en") {
            return Language::En;
        }
    }
    Language::En
}

async fn choose(form: Form) -> Response {
    let mut cookies = Vec::new();
    let mut keep = |name: &str, value: &str| {
        cookies.push((SET_COOKIE, format!("{name}={value}; Path=/; Max-Age={YEAR}; SameSite=Lax")));
    };
    if let Some(language @ ("ja" | "en")) = form.get("language") {
        keep("sr_lang", language);
    }
    if let Some(theme @ ("system" | "light" | "dark")) = form.get("theme") {
        keep("sr_theme", theme);
    }
    // Only back to a page of ours.
    let back = form.get("back").filter(|to| to.starts_with('/') && !to.starts_with("//"));
    let back = back.filter(|to| !to.contains('\\')).unwrap_or("/");
    (AppendHeaders(cookies), Redirect::to(back)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &'static str, value: &'static str) -> Look {
        let mut headers = HeaderMap::new();
        headers.insert(name, axum::http::HeaderValue::from_static(value));
        Look::of(&headers)
    }

    #[test]
    fn the_cookie_wins_then_the_browser_then_english() {
        assert_eq!(look("cookie", "a=b; sr_lang=ja").language, Language::Ja);
        assert_eq!(look("accept-language", "fr, ja;q=0.8, en;q=0.7").language, Language::Ja);
        assert_eq!(look("accept-language", "en-GB,ja").language, Language::En);
        assert_eq!(look("accept-language", "fr").language, Language::En);
        assert_eq!(look("cookie", "sr_theme=dark").theme, Theme::Dark);
        assert_eq!(look("cookie", "sr_theme=x").theme, Theme::System);
    }
}

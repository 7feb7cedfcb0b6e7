//! The frame around every page: head, navigation, appearance, and the place of the content.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use maud::{DOCTYPE, Markup, html};

use super::files::address;
use super::look::{Look, Theme};
use super::words::Language;
use crate::App;
use crate::auth::Caller;
use crate::routes::Permission;

/// What a page needs to be framed.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The server.
    pub app: &'a App,
    /// The reader.
    pub caller: &'a Caller,
    /// How they want it.
    pub look: Look,
    /// The page's own path, to come back to.
    pub path: String,
}

/// How a reader wants the page, and where they are.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Language and appearance.
    pub look: Look,
    /// Path and query.
    pub path: String,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        Ok(Self { look: Look::of(&parts.headers), path: path.to_owned() })
    }
}

impl<'a> Frame<'a> {
    /// The frame for a request.
    pub fn new(app: &'a App, caller: &'a Caller, reader: Reader) -> Self {
        Self { app, caller, look: reader.look, path: reader.path }
    }

    /// The field that proves that a form is ours. Callers with a bearer token need none.
    pub fn form_key(&self) -> Markup {
        let key = self.caller.session.as_ref().map(|session| self.app.secret().form_key(session));
        html! {
            @if let Some(key) = key { input type="hidden" name="csrf" value=(key); }
        }
    }

    /// A whole page. `stream` is the live stream that says when to look again.
    pub fn page(&self, title: &str, stream: Option<&str>, content: &Markup) -> Markup {
        let words = self.look.words();
        let nav = [("/", words.home), ("/runs", words.runs), ("/definitions", words.definitions)];
        let here = self.path.split('?').next().unwrap_or("/");
        let is_here = |to: &str| here == to || (to != "/" && here.starts_with(&format!("{to}/")));
        let new = self.app.starters().first().map(|starter| starter.form);
        document(
            self.look,
            title,
            &html! {
                a class="skip-link" href="#main" { (words.skip_link) }
                header class="bar" {
                    div class="bar-in" {
                        a class="brand" href="/" aria-label=(words.product) { (mark()) span { (words.product) } }
                        nav aria-label=(words.navigation) {
                            ul {
                                @for (to, name) in nav {
                                    li { a href=(to) aria-current=[is_here(to).then_some("page")] { (name) } }
                                }
                            }
                        }
                        div class="bar-end" {
                            span class="live" id="live" data-on=(words.live_on) data-off=(words.live_off) data-over=(words.live_over) hidden {}
                            @if let Some(new) = new {
                                a class="button primary small" href=(new) { (words.new) }
                            }
                        }
                    }
                }
                main id="main" tabindex="-1" data-stream=[stream] { (content) }
                footer class="foot" { (self.foot()) }
            },
        )
    }

    fn foot(&self) -> Markup {
        let words = self.look.words();
        html! {
            (chooser(self.look, &self.path))
            div class="foot-end" {
                @if Permission::Operate.is_held_by(&self.caller.roles) {
                    a class="muted" href="/webhooks" { (words.webhooks) }
                }
                span class="muted" { (self.caller.id) }
                @if self.caller.session.is_some() {
                    form method="post" action="/logout" {
                        (self.form_key())
                        button class="link" { (words.sign_out) }
                    }
                }
                span class="muted" { (words.product) " " (self.app.facts().version) }
            }
        }
    }
}

/// A page for somebody who is not known, or who has met a problem.
pub fn plain(look: Look, title: &str, content: &Markup) -> Markup {
    let words = look.words();
    document(
        look,
        title,
        &html! {
            header class="bar" {
                div class="bar-in" {
                    a class="brand" href="/" aria-label=(words.product) { (mark()) span { (words.product) } }
                }
            }
            main id="main" class="narrow" tabindex="-1" { (content) }
            footer class="foot" { (chooser(look, "/")) }
        },
    )
}

fn document(look: Look, title: &str, body: &Markup) -> Markup {
    let words = look.words();
    html! {
        (DOCTYPE)
        html lang=(look.language.code()) data-theme=(look.theme.code())
            data-second=(words.second) data-minute=(words.minute) data-hour=(words.hour)
            data-day=(words.day) data-ago=(words.ago) data-in=(words.in_time) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content=(if look.theme == Theme::Dark { "dark" } else if look.theme == Theme::Light { "light" } else { "light dark" });
                title { (title) " · " (words.product) }
                link rel="icon" type="image/svg+xml" href=(address("icon.svg"));
                link rel="stylesheet" href=(address("style.css"));
                script src=(address("live.js")) defer {}
            }
            body { (body) }
        }
    }
}

/// Language and appearance, as a form that needs no script.
fn chooser(look: Look, back: &str) -> Markup {
    let words = look.words();
    let languages = [(Language::En, "English"), (Language::Ja, "日本語")];
    let themes = [
        (Theme::System, words.theme_system),
        (Theme::Light, words.theme_light),
        (Theme::Dark, words.theme_dark),
    ];
    html! {
        form class="chooser" method="post" action="/look" {
            input type="hidden" name="back" value=(back);
            label { span { (words.language) }
                select name="language" { @for (language, name) in languages {
                    option value=(language.code()) selected[language == look.language] lang=(language.code()) { (name) }
                } }
            }
            label { span { (words.theme) }
                select name="theme" { @for (theme, name) in themes {
                    option value=(theme.code()) selected[theme == look.theme] { (name) }
                } }
            }
            button class="small" { (words.save) }
        }
    }
}

/// Three lanes of a timeline.
fn mark() -> Markup {
    html! {
        svg class="mark" viewBox="0 0 32 32" aria-hidden="true" {
            rect class="mark-back" width="32" height="32" rx="8" {}
            rect class="mark-lane" x="7" y="8" width="12" height="4" rx="2" {}
            rect class="mark-live" x="11" y="14" width="14" height="4" rx="2" {}
            rect class="mark-lane" x="7" y="20" width="9" height="4" rx="2" {}
        }
    }
}

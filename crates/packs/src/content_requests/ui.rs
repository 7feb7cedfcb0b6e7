//! The form for a request, and the demo that needs no form at all.

mod sample;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use showrunner_web::body::{Form, fitting};
use showrunner_web::page::Query;
use showrunner_web::problem::codes;
use showrunner_web::routes::{Gives, Route, Takes};
use showrunner_web::ui::parts::{label, money, span};
use showrunner_web::ui::shell::{Frame, Reader};
use showrunner_web::{App, Caller, FieldError, Problem, catalogue};

use super::brand::{self, BrandJson};
use super::brief::{Brief, RequestType, aspects};
use super::create::{create, definition};

/// The fields of the form.
const FIELDS: &[&str] = &[
    "brand_id",
    "request_type",
    "title",
    "prompt",
    "aspect_ratio",
    "duration_seconds",
    "style_preset",
    "language",
    "voice_id",
    "script_text",
    "auto_approve",
];

catalogue! {
    /// The words of the form.
    FormTexts {
        title: "New request" / "制作依頼";
        about: "Say what it is for and what must be in it. Agents check it against the brand, find a concept, make it and review it. You approve it before it is published." / "何のためのものか、何を入れたいかを書いてください。担当エージェントがブランド規定の確認、コンセプト立案、制作、検査を行い、公開前にあなたが承認します。";
        kind: "What to make" / "つくるもの";
        image: "Image" / "画像";
        video_with_vo: "Film with a voice" / "動画(ナレーションあり)";
        video_no_vo: "Film without a voice" / "動画(ナレーションなし)";
        seconds: "Length in seconds" / "長さ(秒)";
        voice: "Voice" / "声";
        voice_female: "Female" / "女性";
        voice_male: "Male" / "男性";
        script: "Your own script" / "台本(支給する場合)";
        script_hint: "Leave it empty to have one written. A blank line begins a new scene." / "空欄なら台本も作成します。空行でシーンが分かれます。";
        brand: "Brand" / "ブランド";
        name: "Title" / "タイトル";
        brief: "Brief" / "依頼内容";
        brief_hint: "Who sees it, what it should make them feel, what must not be missing." / "誰に見せるか、どう感じてほしいか、欠かせない要素。";
        format: "Format" / "画面比率";
        style: "Style" / "表現スタイル";
        optional: "optional" / "任意";
        language: "Language of the copy" / "コピーの言語";
        language_auto: "As the brief" / "依頼文に合わせる";
        auto_approve: "Publish without asking me" / "承認なしで公開する";
        start: "Start" / "制作を開始";
        sample: "Fill in a sample" / "例文を入れる";
        estimate: "What it takes" / "見積もり";
        estimate_cost: "Cost" / "費用";
        estimate_time: "Time" / "時間";
        estimate_calls: "Steps" / "工程";
        estimate_note: "Each step reserves its share before it calls anybody. What it really cost stands on the run." / "各工程は呼び出しの前に予算を確保します。実績は制作ページに表示されます。";
        wrong: "Please look at the marked fields." / "印のついた項目を確認してください。";
        tone: "Tone" / "トーン";
        never: "Never" / "禁止事項";
    }
}

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/new", "show_request_form")
            .says("The form for a request.")
            .permit(showrunner_web::Permission::Make)
            .query("type", "string", "`image`, `video_with_vo`, `video_no_vo`.")
            .query("sample", "integer", "1: with a sample filled in.")
            .answers(200, Gives::Media("text/html"))
            .to(show),
        Route::post("/new", "form_create_request")
            .says("Starts a request.")
            .takes(Takes::Form(FIELDS))
            .answers(303, Gives::Nothing)
            .answers(422, Gives::Media("text/html"))
            .problems(&[&codes::UNKNOWN_BRAND, &codes::STORAGE_FULL, &codes::NOT_SERVING])
            .to(start),
        Route::post("/demo", "form_start_demo")
            .says("Starts the sample request.")
            .query("type", "string", "`image`, `video_with_vo`, `video_no_vo`.")
            .takes(Takes::Form(&[]))
            .answers(303, Gives::Nothing)
            .problems(&[&codes::UNKNOWN_BRAND, &codes::STORAGE_FULL, &codes::NOT_SERVING])
            .to(demo),
    ]
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    query: Query,
    reader: Reader,
) -> Result<Markup, Problem> {
    let frame = Frame::new(&app, &caller, reader);
    let kind = kind_of(&query);
    let mut given = match query.get("sample") {
        Some(_) => sample::in_language(frame.look.language, kind),
        None => Map::new(),
    };
    given.insert("request_type".into(), json!(kind.name()));
    render(&frame, &given, &[]).await
}

/// What is to be made, an image where nothing else is said.
fn kind_of(query: &Query) -> RequestType {
    query.get("type").and_then(RequestType::of).unwrap_or(RequestType::Image)
}

async fn start(
    State(app): State<App>,
    caller: Caller,
    reader: Reader,
    form: Form,
) -> Result<Response, Problem> {
    let given = given(&form);
    let brief = fitting::<Brief>(&Value::Object(given.clone()));
    let outcome = match brief {
        Ok(brief) => create(&app, &caller, &brief, None).await,
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(created) => Ok(Redirect::to(&format!("/runs/{}", created.run.id)).into_response()),
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY => {
            let frame = Frame::new(&app, &caller, reader);
            let page = render(&frame, &given, problem.errors()).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        },
        Err(problem) => Err(problem),
    }
}

/// The form as the brief it stands for.
fn given(form: &Form) -> Map<String, Value> {
    let mut given = Map::new();
    given.insert("request_type".into(), json!("image"));
    for field in FIELDS {
        if let Some(text) = form.get(field) {
            let value = match *field {
                "auto_approve" => json!(true),
                "duration_seconds" => text.parse::<u64>().map_or_else(|_| json!(text), Value::from),
                _ => json!(text),
            };
            given.insert((*field).to_owned(), value);
        }
    }
    given
}

async fn demo(
    State(app): State<App>,
    caller: Caller,
    query: Query,
    reader: Reader,
) -> Result<Redirect, Problem> {
    let brands = brand::all(&app, &caller.org).await?;
    let Some(brand) = brands.first() else {
        return Err(Problem::new(&codes::UNKNOWN_BRAND, "there is no brand to make a demo for"));
    };
    let kind = kind_of(&query);
    let mut given = sample::in_language(reader.look.language, kind);
    given.insert("brand_id".into(), json!(brand.id));
    given.insert("request_type".into(), json!(kind.name()));
    let brief = fitting::<Brief>(&Value::Object(given))?;
    let created = create(&app, &caller, &brief, None).await?;
    Ok(Redirect::to(&format!("/runs/{}", created.run.id)))
}

async fn render(
    frame: &Frame<'_>,
    given: &Map<String, Value>,
    errors: &[FieldError],
) -> Result<Markup, Problem> {
    let words = FormTexts::in_language(frame.look.language);
    let brands = brand::all(frame.app, &frame.caller.org).await?;
    let kind = given.get("request_type").and_then(Value::as_str).and_then(RequestType::of);
    let kind = kind.unwrap_or(RequestType::Image);
    let estimate = estimate(frame, kind).await?;
    let content = html! {
        div class="page-head" { div {
            h1 { (words.title) }
            p class="lead" { (words.about) }
        } }
        @if !errors.is_empty() { p class="wrong" role="alert" { (words.wrong) } }
        div class="columns" {
            form class="column-main sheet" method="post" action="/new" {
                (frame.form_key())
                input type="hidden" name="request_type" value=(kind.name());
                (kinds(words, kind))
                (fields(frame, words, &brands, &Given { given, errors }))
                div class="actions" {
                    button class="primary" { (words.start) }
                    a class="button link" href=(format!("/new?sample=1&type={}", kind.name())) { (words.sample) }
                }
            }
            aside class="column-side" { (estimate) (about_brand(words, &brands)) }
        }
    };
    Ok(frame.page(words.title, None, &content))
}

/// What can be made: a link each, for each has a form of its own.
fn kinds(words: &FormTexts, chosen: RequestType) -> Markup {
    let name = |kind| match kind {
        RequestType::Image => words.image,
        RequestType::VideoWithVo => words.video_with_vo,
        RequestType::VideoNoVo => words.video_no_vo,
    };
    html! {
        nav class="actions" aria-label=(words.kind) {
            @for kind in [RequestType::Image, RequestType::VideoWithVo, RequestType::VideoNoVo] {
                a class="button" href=(format!("/new?type={}", kind.name()))
                    aria-current=[(kind == chosen).then_some("page")] { (name(kind)) }
            }
        }
    }
}

/// What only films are asked.
fn film_fields(words: &FormTexts, given: &Given<'_>) -> Markup {
    let is_spoken = given.is("request_type", RequestType::VideoWithVo.name());
    let seconds = given.given.get("duration_seconds").cloned().unwrap_or_else(|| json!(30));
    let seconds = seconds.as_str().map_or_else(|| seconds.to_string(), str::to_owned);
    html! {
        div class="pair" {
            label { span { (words.seconds) }
                input type="number" name="duration_seconds" min="5" max="300" value=(seconds);
                (given.complaints("duration_seconds"))
            }
            @if is_spoken {
                label { span { (words.voice) }
                    select name="voice_id" {
                        option value="female" { (words.voice_female) }
                        option value="male" selected[given.is("voice_id", "male")] { (words.voice_male) }
                    }
                }
            }
        }
        @if is_spoken {
            label { span { (words.script) " " small class="muted" { (words.optional) } }
                textarea name="script_text" rows="6" maxlength="20000" placeholder=(words.script_hint) { (given.text("script_text")) }
                (given.complaints("script_text"))
            }
        }
    }
}

/// What was typed, and what is wrong with it.
struct Given<'g> {
    given: &'g Map<String, Value>,
    errors: &'g [FieldError],
}

impl Given<'_> {
    fn text(&self, name: &str) -> &str {
        self.given.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.text(name) == value
    }

    fn complaints(&self, name: &str) -> Markup {
        let pointer = format!("/{name}");
        let missing = format!("\"{name}\" is a required property");
        let own =
            self.errors.iter().filter(|error| error.pointer == pointer || error.detail == missing);
        html! { @for error in own { span class="wrong-text small" { (error.detail) } } }
    }
}

fn fields(frame: &Frame<'_>, words: &FormTexts, brands: &[BrandJson], given: &Given<'_>) -> Markup {
    let language = frame.look.language;
    let is_film = !given.is("request_type", RequestType::Image.name());
    let usual = if is_film { "16:9" } else { "1:1" };
    html! {
        label { span { (words.brand) }
            select name="brand_id" required { @for brand in brands {
                option value=(brand.id) selected[given.is("brand_id", &brand.id)] { (brand.name) }
            } }
            (given.complaints("brand_id"))
        }
        label { span { (words.name) }
            input type="text" name="title" required maxlength="255" value=(given.text("title"));
            (given.complaints("title"))
        }
        label { span { (words.brief) }
            textarea name="prompt" rows="8" required maxlength="5000" placeholder=(words.brief_hint) { (given.text("prompt")) }
            (given.complaints("prompt"))
        }
        fieldset class="choices" { legend { (words.format) }
            @for (value, name) in &aspects() {
                label class="choice" {
                    input type="radio" name="aspect_ratio" value=(value)
                        checked[given.is("aspect_ratio", value) || (given.text("aspect_ratio").is_empty() && *value == usual)];
                    (shape(value)) span { (label(name, language)) }
                }
            }
        }
        @if is_film { (film_fields(words, given)) }
        div class="pair" {
            label { span { (words.style) " " small class="muted" { (words.optional) } }
                input type="text" name="style_preset" maxlength="100" value=(given.text("style_preset"));
                (given.complaints("style_preset"))
            }
            label { span { (words.language) }
                select name="language" {
                    option value="" { (words.language_auto) }
                    option value="ja" lang="ja" selected[given.is("language", "ja")] { "日本語" }
                    option value="en" lang="en" selected[given.is("language", "en")] { "English" }
                }
            }
        }
        label class="tick" {
            input type="checkbox" name="auto_approve" value="1" checked[given.given.contains_key("auto_approve")];
            span { (words.auto_approve) }
        }
    }
}

/// A format, drawn.
fn shape(aspect: &str) -> Markup {
    let (width, height) = aspect.split_once(':').unwrap_or(("1", "1"));
    let side = |text: &str| text.parse::<u32>().unwrap_or(1);
    let (width, height) = (side(width), side(height));
    let longer = width.max(height).max(1);
    let (width, height) = (width * 24 / longer, height * 24 / longer);
    html! {
        svg class="aspect" viewBox="0 0 28 28" aria-hidden="true" {
            rect x=((28 - width) / 2) y=((28 - height) / 2) width=(width) height=(height) rx="2" {}
        }
    }
}

async fn estimate(frame: &Frame<'_>, kind: RequestType) -> Result<Markup, Problem> {
    let words = FormTexts::in_language(frame.look.language);
    let definition = definition(frame.app, frame.caller, kind).await?;
    let expected = showrunner_web::api::expected(&definition);
    Ok(html! {
        section class="card" {
            h2 { (words.estimate) }
            dl class="pairs" {
                div { dt { (words.estimate_cost) } dd class="big num" { "~" (money(expected.spend.cost)) } }
                div { dt { (words.estimate_time) } dd class="num" { "~" (span(expected.duration.0, frame.look)) } }
                div { dt { (words.estimate_calls) } dd class="num" { (definition.root.len()) } }
            }
            p class="muted small" { (words.estimate_note) }
        }
    })
}

fn about_brand(words: &FormTexts, brands: &[BrandJson]) -> Markup {
    html! {
        @for brand in brands.iter().take(3) {
            section class="card" {
                h2 { (brand.name) }
                p class="swatches" aria-hidden="true" {
                    @for colour in &brand.profile.palette {
                        svg viewBox="0 0 20 20" { rect width="20" height="20" rx="6" fill=(colour) {} }
                    }
                }
                dl class="shown" {
                    div { dt { (words.tone) } dd { (brand.profile.tone) } }
                    @if !brand.profile.negative_constraints.is_empty() {
                        div { dt { (words.never) } dd { ul { @for rule in &brand.profile.negative_constraints { li { (rule) } } } } }
                    }
                }
            }
        }
    }
}

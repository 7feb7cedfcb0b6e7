//! `demo`: one real request, from brief to file, watched live.

mod deliver;
mod ask;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::run::fresh_key;
use super::{decide, watch};
use crate::brief::Brief;
use crate::client::Client;
use crate::client::follow::verdict;
use crate::client::shapes::{Brand, Enveloped, Taken};
use crate::config::{Desk, Lang};
use crate::fault::{Exit, Fault, Outcome};
use crate::progress::{Moment, Viewer, dollars, short_id};
use crate::talk::{Talk, Tone};

use ask::Choice;

/// What the demo makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A branded picture.
    Image,
    /// A branded film with a spoken voice.
    #[value(name = "video_with_vo", alias = "video")]
    VideoWithVo,
    /// A branded film without a voice.
    #[value(name = "video_no_vo")]
    VideoNoVo,
}

impl Kind {
    /// The type of request.
    fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::VideoWithVo => "video_with_vo",
            Self::VideoNoVo => "video_no_vo",
        }
    }

    fn is_film(self) -> bool {
        !matches!(self, Self::Image)
    }
}

/// The shape of the picture or film.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Aspect {
    /// Square.
    #[value(name = "1:1")]
    Square,
    /// Wide.
    #[value(name = "16:9")]
    Wide,
    /// Tall.
    #[value(name = "9:16")]
    Tall,
    /// All three, at once.
    All,
}

impl Aspect {
    fn ratios(self) -> &'static [&'static str] {
        match self {
            Self::Square => &["1:1"],
            Self::Wide => &["16:9"],
            Self::Tall => &["9:16"],
            Self::All => &["1:1", "16:9", "9:16"],
        }
    }
}

/// What to make.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// What to make
    #[arg(value_enum, default_value_t = Kind::Image)]
    kind: Kind,
    /// The same, for those who look for it here
    #[arg(long = "type", value_enum, value_name = "KIND", conflicts_with = "kind")]
    kind_too: Option<Kind>,
    /// The shape [default: 1:1 for a picture, 16:9 for a film]
    #[arg(long, value_enum)]
    aspect: Option<Aspect>,
    /// How long a film lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(5..=300))]
    seconds: u32,
    /// The voice of a film: female, male, deep, bright
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// Your own brief instead of ours
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// The brand's id [default: the seeded one]
    #[arg(long, value_name = "UUID")]
    brand: Option<String>,
    /// Publish without asking
    #[arg(long)]
    auto_approve: bool,
    /// Without a terminal: wait for the approval instead of ending with what to type
    #[arg(long)]
    wait: bool,
    /// Where the file goes
    #[arg(long, default_value = "showrunner-demo", value_name = "DIR")]
    out: PathBuf,
}

impl DemoArgs {
    fn kind(&self) -> Kind {
        self.kind_too.unwrap_or(self.kind)
    }

    fn aspect(&self) -> Aspect {
        let usual = if self.kind().is_film() { Aspect::Wide } else { Aspect::Square };
        self.aspect.unwrap_or(usual)
    }
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) aspect: &'static str,
    pub(super) taken: Taken,
    pub(super) is_open: bool,
}

/// Makes pictures or films.
pub(crate) async fn perform(desk: &Desk, args: DemoArgs) -> Outcome {
    if args.prompt.as_deref().is_some_and(|prompt| prompt.trim().is_empty()) {
        return Err(
            Fault::usage("--prompt is empty").hint("leave it out to use the demo's own brief")
        );
    }
    let client = Client::find(&desk.connect).map_err(how_to_start)?;
    let brand = brand(&client, args.brand.as_deref()).await.map_err(how_to_start)?;
    let brief = Brief::in_language(desk.lang());
    let mut jobs = Vec::new();
    for aspect in args.aspect().ratios() {
        jobs.push(post(&client, brief, &brand, aspect, &args).await?);
    }
    opening(&desk.talk, brief, &brand, &jobs);
    let mut show = Show { desk, client, args, jobs, is_left: false, outcome: Ok(()) };
    show.go_on().await
}

/// Starts one request for `serve --open-demo` and says where to look.
pub(crate) async fn start_one(talk: &Talk, client: &Client) -> Outcome {
    let lang = if talk.language() == "ja" { Lang::Ja } else { Lang::En };
    let brand = brand(client, None).await?;
    let body = Brief::in_language(lang).request(&brand, ("image", "1:1"), None);
    let taken: Enveloped<Taken> =
        client.shape(client.post_once("/api/v1/requests", &body, &fresh_key()?).await?)?;
    let id = taken.data.id;
    talk.say(&format!("A demo request is on its way: {}/runs/{id}", client.base()));
    talk.next(&[(format!("showrunner watch {}", short_id(&id)), "watch it here")]);
    Ok(())
}

fn how_to_start(fault: Fault) -> Fault {
    if fault.exit == Exit::Unreachable {
        fault.hint(
            "the demo needs a server: in another terminal, `showrunner serve`, then this again",
        )
    } else {
        fault
    }
}

/// The brand that was asked for, or the first.
async fn brand(client: &Client, wanted: Option<&str>) -> Outcome<Brand> {
    let brands: Enveloped<Vec<Brand>> = client.read("/api/v1/brands").await?;
    let Some(wanted) = wanted else {
        return brands.data.into_iter().next().ok_or_else(|| {
            Fault::refused("the server has no brand to make a picture for")
                .hint("start it on a new data folder: a demo brand is seeded there")
        });
    };
    let names: Vec<String> =
        brands.data.iter().map(|brand| format!("{} {}", brand.id, brand.name)).collect();
    brands.data.into_iter().find(|brand| brand.id == wanted).ok_or_else(|| {
        Fault::refused(format!("there is no brand {wanted}"))
            .because(format!("there are: {}", names.join("; ")))
    })
}

async fn post(
    client: &Client,
    brief: &Brief,
    brand: &Brand,
    aspect: &'static str,
    args: &DemoArgs,
) -> Outcome<Job> {
    let kind = args.kind();
    let mut body = brief.request(brand, (kind.name(), aspect), args.prompt.as_deref());
    body["auto_approve"] = json!(args.auto_approve);
    if kind.is_film() {
        body["duration_seconds"] = json!(args.seconds);
    }
    if let (Kind::VideoWithVo, Some(voice)) = (kind, &args.voice) {
        body["voice_id"] = json!(voice);
    }
    let answer = client.post_once("/api/v1/requests", &body, &fresh_key()?).await?;
    let taken: Enveloped<Taken> = client.shape(answer)?;
    Ok(Job { id: taken.data.id.clone(), aspect, taken: taken.data, is_open: true })
}

fn opening(talk: &Talk, brief: &Brief, brand: &Brand, jobs: &[Job]) {
    let language = brand.language.as_deref().map(|l| format!(" ({l})")).unwrap_or_default();
    talk.say(&format!("{}  for {}{language}", talk.tint(Tone::Strong, brief.title()), brand.name));
    for job in jobs {
        let cost = job.taken.estimated_cost.map(dollars);
        let time = job.taken.estimated_time_seconds.map(|seconds| format!("{seconds:.0} s"));
        let estimate: Vec<String> = cost.into_iter().chain(time).collect();
        talk.say(&format!("  {}  {}  estimate {}", job.aspect, job.id, estimate.join(", ")));
    }
    talk.say("");
}

/// The demo while it goes on.
struct Show<'a> {
    desk: &'a Desk,
    client: Client,
    args: DemoArgs,
    jobs: Vec<Job>,
    /// A question was left to be answered later.
    is_left: bool,
    outcome: Outcome,
}

impl Show<'_> {
    /// Watches until every file is there, or waits for somebody who is not here.
    async fn go_on(&mut self) -> Outcome {
        let desk = self.desk;
        let mut viewer = Viewer::new(&self.client, &desk.talk);
        for job in &self.jobs {
            viewer.add(&job.id, 0).await?;
        }
        while self.jobs.iter().any(|job| job.is_open) {
            match viewer.next().await? {
                Moment::Waiting { run, step } => {
                    if self.asked(&mut viewer, &run, &step).await? {
                        self.leave();
                        return Ok(());
                    }
                },
                Moment::Over { run, status } => self.over(&mut viewer, &run, &status).await?,
                Moment::Lost { fault } => return Err(*fault),
                Moment::Detached => {
                    self.leave();
                    return Ok(());
                },
            }
        }
        self.closing();
        std::mem::replace(&mut self.outcome, Ok(()))
    }

    /// A picture or film waits for approval. Whether the person has left instead of answering.
    async fn asked(&mut self, viewer: &mut Viewer<'_>, run: &str, step: &str) -> Outcome<bool> {
        let Some(index) = self.jobs.iter().position(|job| job.id == run) else { return Ok(false) };
        let checkpoint = decide::question(&self.client, run, step).await?;
        let aspect = self.jobs.get(index).map_or("1:1", |job| job.aspect);
        let previews =
            deliver::previews(&self.client, &checkpoint, &self.args.out, run, aspect).await?;
        let talk = &self.desk.talk;
        if talk.is_json() {
            talk.json(&json!({
                "type": "demo.waiting", "run": run, "step": step, "previews": previews,
                "question": checkpoint.question(talk.language()),
                "approve": format!("showrunner approve {run}"),
            }))?;
        }
        let page = format!("{}/runs/{run}", self.client.base());
        viewer.say(&ask::question(talk, &checkpoint, &previews, &page));
        if !talk.is_interactive() {
            viewer.say(&watch::how_to_answer(talk, run, step));
            if !self.args.wait
                && let Some(job) = self.jobs.get_mut(index)
            {
                job.is_open = false;
                self.is_left = true;
            }
            return Ok(false);
        }
        match ask::choice(talk).await {
            Choice::Leave => return Ok(true),
            Choice::Answer(answer) => {
                // Somebody may have answered in the browser meanwhile: theirs counts.
                if let Err(fault) = decide::post(&self.client, run, &checkpoint, answer).await {
                    talk.complain(&fault);
                }
            },
        }
        Ok(false)
    }

    async fn over(&mut self, viewer: &mut Viewer<'_>, run: &str, status: &str) -> Outcome {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == run) else { return Ok(()) };
        job.is_open = false;
        let job = &*job;
        if let Err(fault) = verdict(&self.client, run, status).await {
            let why = deliver::why(&self.client, run).await;
            let fault = why.into_iter().fold(fault, Fault::because);
            self.desk.talk.complain(&fault);
            self.outcome = Err(Fault::refused(format!("{} made no file", job.aspect)).told());
            return Ok(());
        }
        let delivered = deliver::collect(&self.client, job, &self.args.out).await?;
        if self.desk.talk.is_json() {
            self.desk.talk.json(&delivered.to_json())
        } else {
            viewer.clear();
            delivered.print(&self.desk.talk)
        }
    }

    /// Leaves without ending anything.
    fn leave(&self) {
        let open: Vec<String> =
            self.jobs.iter().filter(|job| job.is_open).map(|job| job.id.clone()).collect();
        watch::detached(&self.desk.talk, &open);
    }

    fn closing(&self) {
        let Some(first) = self.jobs.first() else { return };
        let id = short_id(&first.id);
        if self.is_left {
            return self.desk.talk.next(&[
                (format!("showrunner approve {id}"), "publish it"),
                (format!("showrunner assets get {id}"), "download it again"),
                ("showrunner approvals".to_owned(), "everything that waits for a decision"),
            ]);
        }
        self.desk.talk.next(&[
            (format!("showrunner events {id}"), "everything that happened, numbered"),
            (
                format!(
                    "showrunner fork {id} --from producer --edits '{{\"aspect_ratio\":\"16:9\"}}'"
                ),
                "the same strategy in another shape",
            ),
            (
                "showrunner demo video_with_vo".to_owned(),
                "a film with a voice from the same kind of brief",
            ),
            (
                "showrunner demo --aspect all --lang ja".to_owned(),
                "three shapes at once, in Japanese",
            ),
            ("showrunner runs list".to_owned(), "all runs"),
        ]);
    }
}

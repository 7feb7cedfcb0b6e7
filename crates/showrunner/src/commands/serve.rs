//! `serve`: opens the door, starts the server, says where it is, and ends it in good order.

mod announce;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Desk;
use crate::config::logs::{self, Form};
use crate::config::serve::{ServeArgs, Serving};
use crate::fault::{Fault, Outcome};
use crate::talk::Talk;
use crate::wiring::{self, Notice, ServeOptions};

use announce::Announcer;

/// Notices that may wait; there are two in a life.
const NOTICES_MAX: usize = 4;

/// Serves until a signal ends it.
pub(crate) async fn perform(desk: &Desk, args: Box<ServeArgs>) -> Outcome {
    let data_dir = desk.connect.data_dir();
    let serving = args.resolve(data_dir)?;
    let form =
        if args.log_json { Form::Json } else { Form::Text { has_colour: desk.talk.has_colour() } };
    logs::start(&args.log, form)?;
    make_private(data_dir)?;
    let listener = open(&serving)?;
    let address = listener.local_addr()?;
    let announcer = Announcer {
        talk: desk.talk.clone(),
        connect: desk.connect.clone(),
        data_dir: fs::canonicalize(data_dir)?,
        ready_file: args.ready_file.clone(),
        url: format!("http://{address}"),
        database: serving.database.shown(),
        has_demo: args.open_demo,
    };
    let (notices, heard) = mpsc::channel(NOTICES_MAX);
    let stop = CancellationToken::new();
    let server = wiring::serve(ServeOptions { serving, listener, notices, stop: stop.clone() });
    let outcome = attend(server, heard, &announcer, &stop).await;
    announcer.withdraw();
    outcome
}

/// Runs the server, announces it, and ends it when a signal says so.
async fn attend(
    server: impl Future<Output = anyhow::Result<()>>,
    mut heard: mpsc::Receiver<Notice>,
    announcer: &Announcer,
    stop: &CancellationToken,
) -> Outcome {
    let mut server = std::pin::pin!(server);
    let mut errands: JoinSet<Outcome> = JoinSet::new();
    let (mut interrupt, mut terminate) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut trouble = Ok(());
    loop {
        tokio::select! {
            ended = &mut server => return trouble.and_then(|()| ended.map_err(Fault::from)),
            Some(notice) = heard.recv() => {
                announcer.clone().hear(notice, &mut errands);
            },
            Some(errand) = errands.join_next() => {
                if let Ok(Err(fault)) = errand {
                    // Whoever waits for the ready file would wait for ever.
                    trouble = Err(fault);
                    stop.cancel();
                }
            },
            _ = interrupt.recv() => leave(&announcer.talk, stop)?,
            _ = terminate.recv() => leave(&announcer.talk, stop)?,
        }
    }
}

/// The first signal asks, the second insists. What was answered is durable either way.
fn leave(talk: &Talk, stop: &CancellationToken) -> Outcome {
    if stop.is_cancelled() {
        return Err(Fault::refused("stopped at once, at the second signal")
            .because("calls under way are taken up again at the next start"));
    }
    talk.say("Stopping: what is being written is finished first. Once more to stop at once.");
    stop.cancel();
    Ok(())
}

fn listen(kind: SignalKind) -> Outcome<Signal> {
    signal(kind).map_err(Fault::from)
}

/// Makes the data folder, readable by its owner only.
fn make_private(folder: &Path) -> Outcome {
    let shown = folder.display();
    let made = if folder.is_dir() {
        // An existing folder keeps the permissions that its owner gave it.
        Ok(())
    } else {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    };
    made.map_err(|error| {
        Fault::refused(format!("the data folder {shown} cannot be made"))
            .because(error.to_string())
            .hint("choose another with --data-dir DIR")
    })?;
    let permissions = fs::metadata(folder)?.permissions();
    if permissions.mode() & 0o002 != 0 {
        return Err(Fault::refused(format!("everybody may write into the data folder {shown}"))
            .because("whoever can replace the database or server.json controls the server")
            .hint(format!("chmod o-w {shown}")));
    }
    Ok(())
}

/// Binds the address, so that a taken port is told before anything is started.
fn open(serving: &Serving) -> Outcome<TcpListener> {
    let address = serving.listen;
    let listener = TcpListener::bind(address).map_err(|error| {
        Fault::refused(format!("cannot listen on {address}"))
            .because(error.to_string())
            .hint("another server may have the port: `showrunner doctor` says which")
            .hint("take a free one: --listen 127.0.0.1:0")
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

#[cfg(test)]
mod tests;

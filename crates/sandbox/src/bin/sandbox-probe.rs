//! What the sandbox's tests start: `sandbox-worker` is the worker; `probe` locks itself in as the
//! worker does, and then tries, as an author's code would that had broken the engine, everything
//! that safe code can try. Prints one line for each: its name, and `refused` or `DONE`.
#![expect(clippy::print_stdout, reason = "its lines are read by a test")]

use std::fs::{self, File, OpenOptions};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, ExitCode};

use rustix::process as system;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(0);
    match args.get(1).map(String::as_str) {
        Some("sandbox-worker") => showrunner_sandbox::worker::work(number(2), number(3)),
        Some("probe") => {
            let folder = args.get(2).cloned().unwrap_or_default();
            let port = number(3);
            let confinement = showrunner_sandbox::confine(512 << 20, 10);
            println!("confined {}", confinement.is_limited && confinement.is_filtered);
            probe(&folder, port);
            ExitCode::SUCCESS
        },
        _ => ExitCode::FAILURE,
    }
}

fn tell<T, E>(name: &str, tried: Result<T, E>) {
    let said = if tried.is_ok() { "DONE" } else { "refused" };
    drop(tried);
    println!("{name} {said}");
}

fn probe(folder: &str, port: u64) {
    files(folder);
    processes();
    sockets(folder, port);
    system_calls(folder);
}

fn files(folder: &str) {
    let canary = format!("{folder}/canary");
    for path in [
        canary.as_str(),
        "/etc/passwd",
        "/etc/shadow",
        "/proc/self/environ",
        "/proc/self/mem",
        "/proc/1/environ",
        "/dev/null",
        "/dev/urandom",
        "/",
        ".",
        "/proc/self/fd/0",
    ] {
        tell(&format!("open {path}"), File::open(path));
    }
    tell("read the canary", fs::read(&canary));
    tell("write the canary", OpenOptions::new().write(true).open(&canary));
    tell("append to the canary", OpenOptions::new().append(true).open(&canary));
    tell("create", File::create(format!("{folder}/made")));
    tell("create in tmp", File::create("/tmp/showrunner-sandbox-made"));
    tell("list", fs::read_dir(folder).map(Iterator::count));
    tell("list /", fs::read_dir("/").map(Iterator::count));
    tell("stat", fs::metadata(&canary));
    tell("read link", fs::read_link("/proc/self/exe"));
    tell("remove", fs::remove_file(&canary));
    tell("rename", fs::rename(&canary, format!("{folder}/moved")));
    tell("hard link", fs::hard_link(&canary, format!("{folder}/linked")));
    tell("symbolic link", std::os::unix::fs::symlink(&canary, format!("{folder}/soft")));
    tell("make folder", fs::create_dir(format!("{folder}/folder")));
    tell("remove folder", fs::remove_dir_all(folder));
    tell("permissions", {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&canary, fs::Permissions::from_mode(0o777))
    });
    tell("copy", fs::copy(&canary, format!("{folder}/copied")));
    tell("change folder", std::env::set_current_dir("/"));
    tell("current folder", std::env::current_dir());
    tell("owner", std::os::unix::fs::chown(&canary, Some(1), Some(1)));
    tell("root", std::os::unix::fs::chroot("/tmp"));
}

fn processes() {
    tell("spawn sh", Command::new("/bin/sh").arg("-c").arg("true").status());
    tell("spawn true", Command::new("true").spawn());
    tell("spawn itself", Command::new("/proc/self/exe").spawn());
    tell("exec", {
        use std::os::unix::process::CommandExt as _;
        Err::<(), _>(Command::new("/bin/true").exec())
    });
    tell("thread", std::thread::Builder::new().spawn(|| {}));
}

fn sockets(folder: &str, port: u64) {
    let address = format!("127.0.0.1:{port}");
    tell("connect", TcpStream::connect(&address));
    tell("connect to metadata", TcpStream::connect("169.254.169.254:80"));
    tell("connect v6", TcpStream::connect(format!("[::1]:{port}")));
    tell("listen", TcpListener::bind("127.0.0.1:0"));
    tell("datagram", UdpSocket::bind("127.0.0.1:0"));
    tell("resolve", std::net::ToSocketAddrs::to_socket_addrs("localhost:80"));
    tell("unix connect", UnixStream::connect(format!("{folder}/socket")));
    tell("unix listen", UnixListener::bind(format!("{folder}/listening")));
    tell("unix pair", UnixStream::pair());
    tell("unix datagram", UnixDatagram::unbound());
}

fn system_calls(folder: &str) {
    if let Some(init) = system::Pid::from_raw(1) {
        tell("signal to init", system::kill_process(init, system::Signal::CONT));
        tell("is init there", system::test_kill_process(init));
    }
    let limit = system::Rlimit { current: None, maximum: None };
    tell("raise files", system::setrlimit(system::Resource::Nofile, limit));
    let limit = system::Rlimit { current: None, maximum: None };
    tell("raise memory", system::setrlimit(system::Resource::As, limit));
    tell("wait for any", system::wait(system::WaitOptions::NOHANG));
    tell("new session", system::setsid());
    tell("priority", system::setpriority_process(None, 5));
    tell("dumpable", system::set_dumpable_behavior(system::DumpableBehavior::Dumpable));
    tell(
        "open at",
        rustix::fs::openat(
            rustix::fs::CWD,
            folder,
            rustix::fs::OFlags::PATH,
            rustix::fs::Mode::empty(),
        ),
    );
    tell("memory file", rustix::fs::memfd_create("m", rustix::fs::MemfdFlags::empty()));
    tell("file system facts", rustix::fs::statfs("/"));
    tell(
        "make node",
        rustix::fs::mknodat(
            rustix::fs::CWD,
            format!("{folder}/node"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        ),
    );
    tell("watch files", rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::empty()));
    tell("truncate", rustix::fs::ftruncate(std::io::stdout(), 0));
    tell("duplicate", rustix::io::dup(std::io::stdin()));
    tell("second filter", showrunner_sandbox_second_filter());
}

/// A filter cannot be replaced by a laxer one.
fn showrunner_sandbox_second_filter() -> Result<(), String> {
    let again = showrunner_sandbox::confine(u64::MAX, u64::MAX);
    if again.is_limited { Ok(()) } else { Err(again.why.unwrap_or_default()) }
}

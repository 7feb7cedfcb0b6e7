//! Locks the process it is called in: limits of the system, then a list of the system calls that
//! are left. Called before anything of an author's is read; there is no way back.

use std::collections::BTreeMap;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use serde::{Deserialize, Serialize};

/// What a worker process could do to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The system's limits hold.
    pub is_limited: bool,
    /// Only the listed system calls are left.
    pub is_filtered: bool,
    /// Why one of them is not so.
    pub why: Option<String>,
}

/// Locks this process: at most `memory_bytes` of address space beyond nothing, `cpu_s` seconds of
/// processor time, no new file, socket, process or thread.
///
/// Must be called while there is one thread.
pub fn confine(memory_bytes: u64, cpu_s: u64) -> Confinement {
    let limited = limit(memory_bytes, cpu_s).map_err(|error| format!("limits: {error}"));
    let filtered = filter();
    Confinement {
        is_limited: limited.is_ok(),
        is_filtered: filtered.is_ok(),
        why: limited.err().or_else(|| filtered.err()),
    }
}

fn limit(memory_bytes: u64, cpu_s: u64) -> std::io::Result<()> {
    let limits = [
        (Resource::As, memory_bytes),
        (Resource::Cpu, cpu_s),
        // Standard input, output and error are open already; nothing else ever is.
        (Resource::Nofile, 3),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
    ];
    for (what, most) in limits {
        setrlimit(what, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Everything but the listed calls is answered with `EPERM`.
fn filter() -> Result<(), String> {
    let program = program().map_err(|error| format!("system call filter: {error}"))?;
    seccompiler::apply_filter(&program)
        .map_err(|error| format!("the kernel takes no system call filter (seccomp): {error}"))?;
    // Believed only when seen.
    match std::fs::File::open("/") {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        Ok(_) => Err("the system call filter was taken and does not hold".to_owned()),
        Err(error) => Err(format!("the system call filter cannot be seen to hold: {error}")),
    }
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(
        allowed()?,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        arch,
    )?;
    filter.try_into()
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The calls that are left: memory without leave to execute it, time, and the two pipes.
fn allowed() -> Result<Rules, seccompiler::BackendError> {
    // No rule means: whatever its arguments.
    let freely = [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_clock_gettime,
        libc::SYS_getrandom,
        libc::SYS_sched_yield,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_rt_sigprocmask,
        // Rust's handler of stack overflows sets the signal back, and faults for ever otherwise.
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];
    let mut rules: Rules = freely.iter().map(|call| (*call, Vec::new())).collect();
    let without_exec = SeccompCmpOp::MaskedEq(u64::from(libc::PROT_EXEC.unsigned_abs()));
    rules.insert(libc::SYS_mmap, vec![where_argument(2, without_exec.clone(), 0)?]);
    rules.insert(libc::SYS_mprotect, vec![where_argument(2, without_exec, 0)?]);
    rules.insert(libc::SYS_read, vec![where_argument(0, SeccompCmpOp::Eq, 0)?]);
    rules.insert(libc::SYS_write, vec![where_argument(0, SeccompCmpOp::Eq, 1)?]);
    // To abort: a signal to itself, to nobody else.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![where_argument(0, SeccompCmpOp::Eq, own)?]);
    Ok(rules)
}

fn where_argument(
    index: u8,
    is: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    let condition = SeccompCondition::new(index, SeccompCmpArgLen::Dword, is, value)?;
    SeccompRule::new(vec![condition])
}

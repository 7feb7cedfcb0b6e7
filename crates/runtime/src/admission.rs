//! Who may work now: limits on everything, by name, and a fair queue in front of each.
//!
//! A job needs room behind all its gates at once. One that finds a gate full waits at that gate;
//! when room comes free there, the next one is chosen by priority, then by turns between
//! organisations, then by age. Nobody scans a queue of those who cannot go anyway.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use showrunner_engine::id::OrgId;

/// A named bottleneck and how many may be in it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// `all`, `provider/…`, `agent/…` or `key/…`.
    pub name: Arc<str>,
    /// Room.
    pub limit: u32,
}

/// Something that wants to work.
struct Job {
    gates: Vec<Gate>,
    start: Box<dyn FnOnce(Pass) + Send>,
    org: OrgId,
    priority: i8,
}

/// The jobs that wait at one gate.
#[derive(Default)]
struct Queue {
    /// By descending priority, then by organisation.
    lanes: BTreeMap<std::cmp::Reverse<i8>, BTreeMap<OrgId, VecDeque<Job>>>,
    /// Whose turn was last, by priority.
    last: BTreeMap<std::cmp::Reverse<i8>, OrgId>,
}

impl Queue {
    fn push(&mut self, job: Job) {
        let lane = self.lanes.entry(std::cmp::Reverse(job.priority)).or_default();
        lane.entry(job.org.clone()).or_default().push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let (&priority, lane) = self.lanes.iter_mut().next()?;
        let after = self.last.get(&priority).and_then(|last| {
            let beyond = (std::ops::Bound::Excluded(last.clone()), std::ops::Bound::Unbounded);
            lane.range(beyond).next().map(|(org, _)| org.clone())
        });
        let org = after.or_else(|| lane.keys().next().cloned())?;
        let jobs = lane.get_mut(&org)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            lane.remove(&org);
        }
        if lane.is_empty() {
            self.lanes.remove(&priority);
            self.last.remove(&priority);
        } else {
            self.last.insert(priority, org);
        }
        job
    }

    fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }
}

#[derive(Default)]
struct State {
    in_use: HashMap<Arc<str>, u32>,
    waiting: HashMap<Arc<str>, Queue>,
    waiting_count: usize,
}

impl State {
    /// Takes room behind all gates, or names the one that is full.
    fn enter(&mut self, gates: &[Gate]) -> Result<(), Arc<str>> {
        for gate in gates {
            if self.in_use.get(&gate.name).copied().unwrap_or(0) >= gate.limit.max(1) {
                return Err(Arc::clone(&gate.name));
            }
        }
        for gate in gates {
            *self.in_use.entry(Arc::clone(&gate.name)).or_insert(0) += 1;
        }
        Ok(())
    }

    fn leave(&mut self, gates: &[Gate]) {
        for gate in gates {
            if let Some(count) = self.in_use.get_mut(&gate.name) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.in_use.remove(&gate.name);
                }
            }
        }
    }

    /// Moves those who can go now from the queues of these gates into `ready`.
    fn call_next(&mut self, gates: &[Gate], ready: &mut Vec<Job>) {
        for gate in gates {
            while self.in_use.get(&gate.name).copied().unwrap_or(0) < gate.limit.max(1) {
                let Some(queue) = self.waiting.get_mut(&gate.name) else { break };
                let Some(job) = queue.pop() else { break };
                if queue.is_empty() {
                    self.waiting.remove(&gate.name);
                }
                match self.enter(&job.gates) {
                    Ok(()) => {
                        self.waiting_count -= 1;
                        ready.push(job);
                    },
                    Err(full) => self.waiting.entry(full).or_default().push(job),
                }
            }
        }
    }
}

/// The gates and their queues.
#[derive(Clone, Default)]
pub struct Admission {
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Admission")
            .field("in_use", &state.in_use)
            .field("waiting", &state.waiting_count)
            .finish()
    }
}

/// Room behind some gates; given back when dropped.
pub struct Pass {
    state: Arc<Mutex<State>>,
    gates: Vec<Gate>,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pass").field(&self.gates).finish()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let gates = std::mem::take(&mut self.gates);
        let mut ready = Vec::new();
        {
            let mut state = self.state.lock();
            state.leave(&gates);
            if state.waiting_count > 0 {
                state.call_next(&gates, &mut ready);
            }
        }
        for job in ready {
            (job.start)(Self { state: Arc::clone(&self.state), gates: job.gates });
        }
    }
}

impl Admission {
    /// Calls `start` as soon as there is room behind all `gates`: now, or when others leave.
    pub fn admit(
        &self,
        gates: Vec<Gate>,
        (org, priority): (OrgId, i8),
        start: impl FnOnce(Pass) + Send + 'static,
    ) {
        let mut state = self.state.lock();
        match state.enter(&gates) {
            Ok(()) => {
                drop(state);
                start(Pass { state: Arc::clone(&self.state), gates });
            },
            Err(full) => {
                state.waiting_count += 1;
                let job = Job { gates, start: Box::new(start), org, priority };
                state.waiting.entry(full).or_default().push(job);
            },
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting_count
    }

    /// How many are behind a gate.
    pub fn in_use(&self, gate: &str) -> u32 {
        self.state.lock().in_use.get(gate).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn gate(name: &str, limit: u32) -> Gate {
        Gate { name: name.into(), limit }
    }

    /// Admits jobs one after the other behind one gate of one and tells the order of their work.
    fn order(jobs: &[(&str, i8, &str)]) -> Vec<String> {
        let admission = Admission::default();
        let (tell, told) = mpsc::channel();
        let (hold, holding) = mpsc::channel();
        admission.admit(vec![gate("g", 1)], ("x".into(), 0), move |pass| hold.send(pass).unwrap());
        for &(org, priority, name) in jobs {
            let (tell, name) = (tell.clone(), name.to_owned());
            admission.admit(vec![gate("g", 1)], (org.into(), priority), move |_pass| {
                tell.send(name).unwrap();
            });
        }
        assert_eq!(admission.waiting(), jobs.len());
        drop(holding.recv().unwrap());
        drop(tell);
        let order = told.iter().collect();
        assert_eq!((admission.waiting(), admission.in_use("g")), (0, 0));
        order
    }

    #[test]
    fn organisations_take_turns() {
        let order = order(&[("a", 0, "a1"), ("a", 0, "a2"), ("a", 0, "a3"), ("b", 0, "b1")]);
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn the_important_goes_first() {
        let order = order(&[("a", 0, "low"), ("b", 5, "high"), ("a", 5, "also_high")]);
        assert_eq!(order, ["also_high", "high", "low"]);
    }

    #[test]
    fn a_job_waits_for_all_its_gates() {
        let admission = Admission::default();
        let (tell, told) = mpsc::channel();
        let take = |gates: Vec<Gate>| {
            let tell = tell.clone();
            admission.admit(gates, ("o".into(), 0), move |pass| tell.send(pass).unwrap());
        };
        take(vec![gate("all", 2), gate("p", 1)]);
        take(vec![gate("all", 2), gate("p", 1)]);
        take(vec![gate("all", 2)]);
        let first = told.try_recv().unwrap();
        let third = told.try_recv().unwrap();
        assert!(told.try_recv().is_err(), "the second waits for p");
        assert_eq!(admission.in_use("all"), 2, "a job that waits holds nothing");
        drop(third);
        assert!(told.try_recv().is_err());
        drop(first);
        drop(told.try_recv().unwrap());
        assert_eq!(admission.in_use("all"), 0);
    }
}

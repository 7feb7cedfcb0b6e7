//! Who is next: as many at once as there are places, then in turns between tenants, and no more
//! waiting than there is room for.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// The queue before the pool. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    waiting: usize,
    waiting_max: usize,
    /// Tenants with somebody waiting, the next one first.
    queues: VecDeque<(String, VecDeque<oneshot::Sender<Pass>>)>,
}

/// A place in the pool, until it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    turns: Turns,
    is_handed_on: bool,
}

impl Turns {
    pub(super) fn new(places: usize, waiting_max: usize) -> Self {
        let inner = Inner { free: places, waiting: 0, waiting_max, queues: VecDeque::new() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// A place. `Err`: so many wait already.
    pub(super) async fn wait(&self, tenant: &str) -> Result<Pass, usize> {
        let waiting = {
            let mut inner = self.inner.lock();
            if inner.free > 0 {
                inner.free -= 1;
                return Ok(Pass::new(self));
            }
            if inner.waiting >= inner.waiting_max {
                return Err(inner.waiting);
            }
            inner.enqueue(tenant)
        };
        // The sender is only dropped with the whole queue.
        waiting.await.map_err(|_gone| 0)
    }
}

impl Inner {
    fn enqueue(&mut self, tenant: &str) -> oneshot::Receiver<Pass> {
        let (sender, receiver) = oneshot::channel();
        self.waiting += 1;
        match self.queues.iter_mut().find(|(name, _)| name == tenant) {
            Some((_, queue)) => queue.push_back(sender),
            None => self.queues.push_back((tenant.to_owned(), VecDeque::from([sender]))),
        }
        receiver
    }

    /// Whoever is next; their tenant goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Pass>> {
        let (tenant, mut queue) = self.queues.pop_front()?;
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.queues.push_back((tenant, queue));
        }
        self.waiting = self.waiting.saturating_sub(1);
        next
    }
}

impl Pass {
    fn new(turns: &Turns) -> Self {
        Self { turns: turns.clone(), is_handed_on: false }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.is_handed_on {
            return;
        }
        loop {
            let next = {
                let mut inner = self.turns.inner.lock();
                let next = inner.next();
                if next.is_none() {
                    inner.free += 1;
                }
                next
            };
            // Whoever stopped waiting gives it back: the one after is asked.
            match next.map(|next| next.send(Self::new(&self.turns))) {
                Some(Err(mut back)) => back.is_handed_on = true,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tenants_take_turns_however_many_wait() {
        let turns = Turns::new(1, 10);
        let first = turns.wait("busy").await.unwrap();
        let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
        for (tenant, no) in [("busy", 1), ("busy", 2), ("busy", 3), ("quiet", 4)] {
            let (turns, order) = (turns.clone(), order.clone());
            let known = turns.inner.lock().waiting;
            tokio::spawn({
                let turns = turns.clone();
                async move {
                    let pass = turns.wait(tenant).await.unwrap();
                    order.send(no).unwrap();
                    drop(pass);
                }
            });
            while turns.inner.lock().waiting == known {
                tokio::task::yield_now().await;
            }
        }
        drop(first);
        let mut came = Vec::new();
        for _ in 0..4 {
            came.push(served.recv().await.unwrap());
        }
        assert_eq!(came, [1, 4, 2, 3]);
    }

    #[tokio::test]
    async fn no_more_wait_than_there_is_room_for_and_who_left_holds_nothing_up() {
        let turns = Turns::new(1, 1);
        let first = turns.wait("a").await.unwrap();
        let mut gone = Box::pin(turns.wait("b"));
        assert!(futures_poll(&mut gone).await.is_none());
        assert_eq!(turns.wait("c").await.unwrap_err(), 1);
        drop(gone);
        drop(first);
        assert_eq!(turns.inner.lock().free, 1);
        turns.wait("d").await.unwrap();
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = tokio::task::yield_now() => None,
        }
    }
}

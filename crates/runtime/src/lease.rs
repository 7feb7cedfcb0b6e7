//! The right to work on an attempt, and its passing from one worker to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use showrunner_providers::{MediaProvider, MediaRequest, ModelProvider, ModelRequest};
use tokio_util::sync::CancellationToken;

/// The right of one worker to work on an attempt. Whoever takes it over asks the provider what
/// became of the attempt: that answer is worth something only when the one before has let go.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// Cancelled when nobody wants this worker any more.
    stop: CancellationToken,
    has_begun: AtomicBool,
    ended: CancellationToken,
    /// Whose work this one takes over.
    before: Option<Arc<Self>>,
    /// Somebody may have worked on the attempt before this process began.
    is_recovered: bool,
    /// The last call that left, to whom: under its key it can be asked for again.
    sent: Mutex<Option<SentCall>>,
}

/// A call that has left.
#[derive(Clone, Debug)]
pub(crate) enum SentCall {
    Model(Arc<dyn ModelProvider>, Arc<ModelRequest>),
    Media(Arc<dyn MediaProvider>, Arc<MediaRequest>),
    /// A function's request; it is not sent again by anybody else.
    Request,
}

impl Lease {
    /// The right to what nobody works on.
    pub(crate) fn new(is_recovered: bool) -> Arc<Self> {
        Arc::new(Self { is_recovered, ..Self::default() })
    }

    /// Takes over from `before`, which is told to stop.
    pub(crate) fn over(before: &Arc<Self>) -> Arc<Self> {
        before.stop.cancel();
        Arc::new(Self { before: Some(Arc::clone(before)), ..Self::default() })
    }

    /// Cancelled when nobody wants this worker any more.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Notes what is about to leave.
    pub(crate) fn note_sent(&self, call: SentCall) {
        *self.sent.lock() = Some(call);
    }

    /// What left last from those who had the attempt before, in this process.
    pub(crate) fn sent_before(&self) -> Option<SentCall> {
        let before = self.before.as_ref()?;
        let sent = before.sent.lock().clone();
        sent.or_else(|| before.sent_before())
    }

    /// Whether it is certain that no call has left: whoever had it before did all of their work in
    /// this process, and sent nothing.
    pub(crate) fn is_unsent(&self) -> bool {
        self.before.is_some() && !self.is_recovered() && self.sent_before().is_none()
    }

    /// Whether somebody may have worked on the attempt before this process began.
    fn is_recovered(&self) -> bool {
        self.is_recovered || self.before.as_ref().is_some_and(|before| before.is_recovered())
    }

    /// Begins to work, once the one before has let go. `None`: somebody else has taken over
    /// meanwhile, and nothing has been done.
    pub(crate) async fn begin(self: &Arc<Self>) -> Option<Working> {
        if let Some(before) = &self.before {
            before.has_let_go().await;
        }
        self.has_begun.store(true, Ordering::SeqCst);
        let working = Working(Arc::clone(self));
        // Asked only now: whoever stops this one looks whether it has begun after that.
        (!self.stop.is_cancelled()).then_some(working)
    }

    /// Whether it is certain that nobody has done anything for the attempt yet: whoever had it
    /// before was still waiting for room.
    pub(crate) fn is_untouched(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.never_worked())
    }

    fn never_worked(&self) -> bool {
        !self.is_recovered
            && !self.has_begun.load(Ordering::SeqCst)
            && self.before.as_ref().is_none_or(|before| before.never_worked())
    }

    /// A worker that has not begun when it is stopped never will.
    async fn has_let_go(&self) {
        if self.has_begun.load(Ordering::SeqCst) {
            self.ended.cancelled().await;
        } else if let Some(before) = &self.before {
            Box::pin(before.has_let_go()).await;
        }
    }
}

/// A worker at work; dropped when it has let go.
#[derive(Debug)]
pub(crate) struct Working(Arc<Lease>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.ended.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn the_next_one_begins_when_the_one_before_has_let_go() {
        let first = Lease::new(false);
        let at_work = first.begin().await.unwrap();
        let second = Lease::over(&first);
        assert!(first.stop().is_cancelled());
        let mut begins = pin!(second.begin());
        assert!(poll!(&mut begins).is_pending());
        drop(at_work);
        assert!(poll!(&mut begins).is_ready());
    }

    #[tokio::test]
    async fn a_worker_that_never_began_is_not_waited_for() {
        let first = Lease::new(false);
        let at_work = first.begin().await.unwrap();
        let second = Lease::over(&first);
        let third = Lease::over(&second);
        let mut begins = pin!(third.begin());
        assert!(poll!(&mut begins).is_pending(), "the first is still at work");
        assert!(!third.is_untouched());
        drop(at_work);
        assert!(poll!(&mut begins).is_ready());
        assert!(second.begin().await.is_none());
    }

    #[test]
    fn what_nobody_worked_on_is_untouched() {
        let waiting = Lease::new(false);
        assert!(Lease::over(&Lease::over(&waiting)).is_untouched());
        assert!(!Lease::over(&Lease::new(true)).is_untouched(), "who knows, before this start");
    }
}

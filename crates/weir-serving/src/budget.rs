//! How much may be in use at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A limit on what is in use at once, of whatever is counted: predictions, connections, bytes.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
}

/// A part of a budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    amount: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, used: AtomicUsize::new(0) }))
    }

    /// A share of `amount`; none where that would be more than the limit.
    pub(crate) fn take(&self, amount: usize) -> Option<Share> {
        let share = self.take_anyway(amount);
        (self.used() <= self.0.limit).then_some(share)
    }

    /// A share of `amount`, whether or not the limit is kept.
    pub(crate) fn take_anyway(&self, amount: usize) -> Share {
        self.0.used.fetch_add(amount, Ordering::Relaxed);
        Share { budget: self.clone(), amount }
    }

    pub(crate) fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.used.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_back_and_a_refused_one_takes_nothing() {
        let budget = Budget::new(3);
        let first = budget.take(2).unwrap();
        assert!(budget.take(2).is_none());
        assert_eq!(budget.used(), 2);
        let second = budget.take(1).unwrap();
        drop(first);
        assert_eq!(budget.used(), 1);
        drop((second, budget.take_anyway(9)));
        assert_eq!(budget.used(), 0);
    }
}

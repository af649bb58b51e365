//! Pieces on threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::context::{Context, FitError};
use crate::search::{FamilySearch, Order, Piece, Score};

/// What became of a piece; none while it is not done.
type Slot<E> = Option<Result<Vec<Score>, E>>;

/// Scores the pieces numbered `chosen`; see [`crate::search::Plan::run`].
pub(crate) fn execute<S: FamilySearch, E: From<FitError> + Send>(
    search: &S,
    pieces: &[Piece],
    chosen: &[usize],
    order: Order,
    context: &Context<'_>,
    done: impl Fn(usize, &[Score]) -> Result<(), E> + Sync,
) -> Result<Vec<Option<Vec<Score>>>, E> {
    let mut places: Vec<usize> = (0..chosen.len()).collect();
    if order == Order::LongestFirst {
        // Begun last, a long piece would leave threads idle at the end. The sort is stable.
        let seconds = |place: usize| pieces[chosen[place]].estimate.seconds;
        places.sort_by(|&a, &b| seconds(b).total_cmp(&seconds(a)));
    }
    let workers = workers(pieces, chosen, context.memory);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let results: Mutex<Vec<Slot<E>>> = Mutex::new(chosen.iter().map(|_| None).collect());
    let work = || {
        let mut scratch = search.scratch(context.memory / workers);
        while let Some(&place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed.load(Ordering::Relaxed) {
                return;
            }
            let piece = chosen[place];
            let result = match search.score(piece, &mut scratch, context) {
                Err(FitError::OutOfTime) => return,
                Err(error) => Err(E::from(error)),
                Ok(scores) => done(piece, &scores).map(|()| scores),
            };
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            results.lock().expect("no worker panicked")[place] = Some(result);
        }
    };
    rayon::scope(|scope| (0..workers).for_each(|_| scope.spawn(|_| work())));
    results.into_inner().expect("no worker panicked").into_iter().map(Option::transpose).collect()
}

/// As many as there are threads, pieces, and room for the memory that a piece cannot do without.
fn workers(pieces: &[Piece], chosen: &[usize], memory: usize) -> usize {
    let largest = chosen.iter().map(|&piece| pieces[piece].estimate.bytes).max().unwrap_or(0);
    let room = memory / largest.max(1);
    rayon::current_num_threads().min(chosen.len()).min(room).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Cell, Estimate};
    use std::time::Instant;

    /// Three pieces of one cell; the second is the longest. A piece scores its number, unless it is to fail.
    struct Numbers {
        failing: Option<(usize, FitError)>,
    }

    impl FamilySearch for Numbers {
        type Scratch = usize;

        fn pieces(&self) -> Vec<Piece> {
            let piece = |(fold, seconds): (usize, f64)| Piece {
                name: format!("fold={fold}"),
                cells: vec![Cell { candidate: 0, fold }],
                estimate: Estimate { seconds, bytes: 100 },
            };
            [1.0, 9.0, 2.0].into_iter().enumerate().map(piece).collect()
        }

        fn scratch(&self, bytes: usize) -> usize {
            bytes
        }

        fn score(&self, piece: usize, bytes: &mut usize, context: &Context<'_>) -> Result<Vec<Score>, FitError> {
            context.check()?;
            assert!(*bytes >= 100, "a worker has what a piece needs");
            match &self.failing {
                Some((failing, error)) if *failing == piece => Err(error.clone()),
                _ => Ok(vec![Score { right: piece as u64, converged: true }]),
            }
        }
    }

    /// What a search returns.
    type Scored = Result<Vec<Option<Vec<Score>>>, FitError>;

    fn run(search: &Numbers, chosen: &[usize], order: Order, context: &Context<'_>) -> (Scored, Vec<usize>) {
        let seen = Mutex::new(Vec::new());
        let result = execute(search, &search.pieces(), chosen, order, context, |piece, _| {
            seen.lock().unwrap().push(piece);
            Ok(())
        });
        (result, seen.into_inner().unwrap())
    }

    fn scores(of: &[usize]) -> Vec<Option<Vec<Score>>> {
        of.iter().map(|&piece| Some(vec![Score { right: piece as u64, converged: true }])).collect()
    }

    #[test]
    fn pieces_come_in_the_order_wished_for_and_results_in_that_of_the_question() {
        // Room for one worker, so that the order shows.
        let context = Context { memory: 150, ..Context::default() };
        for (order, expected) in [(Order::LongestFirst, [1, 2, 0]), (Order::AsGiven, [2, 0, 1])] {
            let (result, seen) = run(&Numbers { failing: None }, &[2, 0, 1], order, &context);
            assert_eq!(result, Ok(scores(&[2, 0, 1])));
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn an_error_ends_the_search_and_a_deadline_leaves_what_is_done() {
        let context = Context { memory: 150, ..Context::default() };
        let broken = FitError::Data("broken".to_owned());
        let longest = Order::LongestFirst;
        let (result, seen) = run(&Numbers { failing: Some((2, broken.clone())) }, &[0, 1, 2], longest, &context);
        assert_eq!((result, seen), (Err(broken), vec![1]));
        let out_of_time = Numbers { failing: Some((2, FitError::OutOfTime)) };
        let (result, seen) = run(&out_of_time, &[0, 1, 2], longest, &context);
        assert_eq!(result, Ok(vec![None, scores(&[1]).remove(0), None]));
        assert_eq!(seen, [1]);
        let late = Context { deadline: Some(Instant::now()), ..context };
        assert_eq!(run(&Numbers { failing: None }, &[0, 1], longest, &late).0, Ok(vec![None, None]));
    }
}

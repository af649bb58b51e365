//! Any bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use weir_testkit::Random;

use crate::fixture::{INFER, PREDICT, Served, served};
use crate::mutation::{Seed, check, mutate, seeds};

thread_local! {
    static SERVED: Served = served();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_body_is_answered_or_refused(body in vec(any::<u8>(), 0..200), header in proptest::option::of(0_usize..250)) {
        SERVED.with(|served| {
            for path in [PREDICT, INFER] {
                check(&served.app, &Seed { path, body: body.clone(), header });
            }
        });
    }
}

#[test]
fn valid_requests_are_answered_and_damaged_ones_answered_or_refused() {
    let served = served();
    let seeds = seeds(&served.bundle);
    for seed in &seeds {
        assert_eq!(check(&served.app, seed).status, 200, "{}", String::from_utf8_lossy(&seed.body));
    }
    let mut random = Random(7);
    let mut refused = 0;
    for _ in 0..250 {
        for seed in &seeds {
            let other = &seeds[random.below(seeds.len())];
            refused += usize::from(check(&served.app, &mutate(seed, other, &mut random)).status != 200);
        }
    }
    assert!((100..250 * seeds.len() - 10).contains(&refused), "{refused}");
}

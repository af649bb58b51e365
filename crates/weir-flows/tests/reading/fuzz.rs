//! A thousand mutations of every file in `tests/data`; `examples/fuzz.rs` runs more of them.

use weir_testkit::Random;

use crate::mutation::{check, mutate, seeds};

const ROUNDS: u64 = 1000;

#[test]
fn damaged_files_are_read_the_same_in_any_portions_and_every_line_is_counted() {
    let seeds = seeds();
    for (index, seed) in seeds.iter().enumerate() {
        for round in 0..ROUNDS {
            let mut random = Random((index as u64) << 32 | round);
            let other = &seeds[random.below(seeds.len())].bytes;
            let mutation = mutate(&seed.bytes, other, &mut random);
            check(&mutation, seed.format, &mut random);
        }
    }
}

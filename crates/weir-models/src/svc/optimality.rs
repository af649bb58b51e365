//! Solutions against the definition of the problem.

use crate::context::{Context, Simd};
use crate::simd::dispatch;
use crate::svc::block::directions;
use crate::svc::kernel::Kernel;
use crate::svc::params::SvcParams;
use crate::svc::points::Points;
use crate::svc::real::Real;
use crate::svc::solver::{Limits, Problem, State};
use crate::svc::sums::{Matrix, Weighted};

/// Two rings with noise, 1400 rows: more than several working sets. Every seventh row is held out, too.
fn problem<R: Real>(kernel: Kernel) -> Problem<R> {
    let mut state = 1u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    let mut rows = Vec::new();
    let mut signs = Vec::new();
    for (radius, sign) in [(0.2, 1.0), (0.35, -1.0)] {
        for _ in 0..700 {
            let (angle, radius) = (noise() * std::f64::consts::TAU, radius + 0.25 * (noise() - 0.5));
            rows.push([0.5 + radius * libm::cos(angle), 0.5 + radius * libm::sin(angle), noise()]);
            signs.push(sign);
        }
    }
    let points = Points::new(&[0.5; 3], rows.iter().map(|row| &row[..]));
    let held_out = rows.iter().step_by(7).map(|row| &row[..]).collect::<Vec<_>>();
    let held_out = Points::new(&[0.5; 3], held_out.into_iter());
    Problem { kernel, points, held_out, signs, simd: Simd::Auto }
}

fn limits(c: f64) -> Limits {
    Limits::new(&SvcParams { c, ..SvcParams::default() }, 1400)
}

fn solved<R: Real>(problem: &Problem<R>, c: f64) -> State {
    problem.solve(problem.start(), limits(c), &Context::default()).unwrap()
}

/// Σ β K of every row in f64, from the f32 kernel values that the solver uses.
fn sums<R: Real>(problem: &Problem<R>, alpha: &[f64]) -> Vec<f64> {
    let all: Vec<u32> = (0..alpha.len() as u32).collect();
    let weighted = Weighted::pick(&problem.points, &all, &vec![0.0; all.len()]);
    let stride = problem.points.padded();
    let mut kernels = vec![0.0; weighted.len() * stride];
    let matrix = &mut kernels;
    dispatch(problem.simd, Matrix { kernel: problem.kernel, points: &problem.points, weighted: &weighted, matrix });
    let sum = |t: usize| {
        (0..alpha.len()).map(|s| problem.signs[s] * alpha[s] * f64::from(kernels[t * stride + s])).sum::<f64>()
    };
    (0..alpha.len()).map(sum).collect()
}

fn kernels() -> [Kernel; 5] {
    [
        Kernel::Linear,
        Kernel::Rbf { gamma: 20.0 },
        Kernel::Poly { gamma: 2.0, coef0: 1.0, degree: 3 },
        Kernel::Poly { gamma: 2.0, coef0: 0.5, degree: 4 },
        Kernel::Sigmoid { gamma: 0.5, coef0: -0.5 },
    ]
}

fn check_optimality<R: Real>(problem: &Problem<R>, c: f64, solution: &State) {
    let kernel = problem.kernel;
    assert!(solution.converged, "{kernel} C {c}");
    let balance: f64 = solution.alpha.iter().zip(&problem.signs).map(|(alpha, sign)| alpha * sign).sum();
    assert!(balance.abs() < 1e-9, "{kernel} C {c}: Σ y α = {balance}");
    let sums = sums(problem, &solution.alpha);
    let (mut largest, mut smallest) = (f64::NEG_INFINITY, f64::INFINITY);
    for (t, sum) in sums.iter().enumerate() {
        let (alpha, sign) = (solution.alpha[t], problem.signs[t]);
        assert!((0.0..=c).contains(&alpha));
        let (up, low) = directions(alpha, sign, c);
        largest = largest.max(sign - sum + up);
        smallest = smallest.min(sign - sum + low);
    }
    assert!(largest - smallest < 1e-3 + 1e-9, "{kernel} C {c}: violation {}", largest - smallest);
    let (low, high) = (largest.min(smallest), largest.max(smallest));
    assert!((low - 1e-9..=high + 1e-9).contains(&-solution.rho), "{kernel} C {c}: rho {}", solution.rho);
    for (decision, sum) in solution.decisions().zip(sums.iter().step_by(7)) {
        assert!((decision - (solution.rho - sum)).abs() < 1e-9, "{kernel} C {c}: a row held out");
    }
}

#[test]
fn solutions_meet_the_optimality_conditions_in_both_widths() {
    for kernel in kernels() {
        for c in [0.1, 10.0] {
            let (narrow, wide) = (problem::<f32>(kernel), problem::<f64>(kernel));
            check_optimality(&narrow, c, &solved(&narrow, c));
            check_optimality(&wide, c, &solved(&wide, c));
        }
    }
}

#[test]
fn a_solution_scaled_to_a_smaller_bound_leads_to_the_optimum_there() {
    for kernel in kernels() {
        let problem = problem::<f32>(kernel);
        let mut state = problem.start();
        for c in [10.0, 1.0, 0.3] {
            state = problem.solve(state, limits(c), &Context::default()).unwrap();
            check_optimality(&problem, c, &state);
        }
    }
}

#[test]
fn one_and_three_threads_give_the_same_bits() {
    let problem = problem::<f32>(Kernel::Rbf { gamma: 20.0 });
    let in_pool = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| solved(&problem, 10.0))
    };
    assert_eq!(in_pool(1), in_pool(3));
}

#[test]
fn the_kernel_of_a_pair_has_one_value() {
    for kernel in kernels() {
        let problem = problem::<f32>(kernel);
        let all: Vec<u32> = (0..100).collect();
        let weighted = Weighted::pick(&problem.points, &all, &[0.0; 100]);
        let stride = problem.points.padded();
        let mut kernels = vec![0.0; weighted.len() * stride];
        let matrix = &mut kernels;
        dispatch(problem.simd, Matrix { kernel, points: &problem.points, weighted: &weighted, matrix });
        for i in 0..100 {
            for j in 0..i {
                assert_eq!(kernels[i * stride + j], kernels[j * stride + i], "{kernel}");
            }
        }
    }
}

#[test]
fn a_portable_solution_has_the_same_bits() {
    for kernel in kernels() {
        let wide = problem::<f32>(kernel);
        let portable = Problem { simd: Simd::Scalar, ..problem::<f32>(kernel) };
        assert_eq!(solved(&wide, 1.0), solved(&portable, 1.0));
    }
}

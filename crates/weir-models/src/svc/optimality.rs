//! Solutions against the definition of the problem.

use crate::context::{Context, Simd};
use crate::svc::kernel::{Kernel, Point};
use crate::svc::params::{KernelName, SvcParams};
use crate::svc::points::Points;
use crate::svc::simd::Level;
use crate::svc::solver::{Limits, Problem, Solution, Workspace};

/// Two rings with noise, 700 rows: enough for the active set to shrink.
fn problem(kernel: Kernel) -> Problem {
    let mut state = 1u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    let mut rows = Vec::new();
    let mut signs = Vec::new();
    for (radius, sign) in [(0.2, 1.0), (0.35, -1.0)] {
        for _ in 0..350 {
            let (angle, radius) = (noise() * std::f64::consts::TAU, radius + 0.25 * (noise() - 0.5));
            rows.push([0.5 + radius * libm::cos(angle), 0.5 + radius * libm::sin(angle), noise()]);
            signs.push(sign);
        }
    }
    let points = Points::new(3, rows.iter().map(|row| &row[..]));
    Problem::new(kernel, points, signs, Level::detect(Simd::Auto))
}

fn solved(problem: &Problem, c: f64, bytes: usize) -> Solution {
    let limits = Limits::new(&SvcParams { c, ..SvcParams::default() }, problem.points.len());
    let mut workspace = Workspace::new(bytes);
    workspace.start(problem);
    problem.solve(limits, &mut workspace, &Context::default()).unwrap()
}

/// The gradient of the dual in f64 from the f32 kernel values that the solver uses.
fn gradient(problem: &Problem, alpha: &[f64]) -> Vec<f64> {
    let mut features = Vec::new();
    let mut row = vec![0.0; problem.points.padded()];
    (0..alpha.len())
        .map(|t| {
            problem.points.read(t, &mut features);
            let point = Point { features: &features, square: problem.points.square(t) };
            problem.level.row(problem.kernel, &problem.points, point, &mut row);
            let sum: f64 = (0..alpha.len()).map(|s| problem.signs[s] * alpha[s] * f64::from(row[s])).sum();
            problem.signs[t] * sum - 1.0
        })
        .collect()
}

fn kernels() -> [Kernel; 4] {
    [
        Kernel::Linear,
        Kernel::Rbf { gamma: 20.0 },
        Kernel::Poly { gamma: 2.0, coef0: 1.0, degree: 3 },
        Kernel::Sigmoid { gamma: 0.5, coef0: -0.5 },
    ]
}

#[test]
fn solutions_meet_the_optimality_conditions() {
    for kernel in kernels() {
        for c in [0.1, 10.0] {
            let problem = problem(kernel);
            let solution = solved(&problem, c, 1 << 20);
            assert!(solution.converged);
            let balance: f64 = solution.alpha.iter().zip(&problem.signs).map(|(alpha, sign)| alpha * sign).sum();
            assert!(balance.abs() < 1e-9, "{kernel:?} C {c}: Σ y α = {balance}");
            let (mut up, mut low) = (f64::NEG_INFINITY, f64::INFINITY);
            for (t, gradient) in gradient(&problem, &solution.alpha).into_iter().enumerate() {
                let (alpha, sign) = (solution.alpha[t], problem.signs[t]);
                assert!((0.0..=c).contains(&alpha));
                if if sign > 0.0 { alpha < c } else { alpha > 0.0 } {
                    up = f64::max(up, -sign * gradient);
                }
                if if sign > 0.0 { alpha > 0.0 } else { alpha < c } {
                    low = f64::min(low, -sign * gradient);
                }
            }
            assert!(up - low < 1e-3 + 1e-9, "{kernel:?} C {c}: violation {}", up - low);
            assert!(-solution.rho <= up.max(low) + 1e-9 && -solution.rho >= up.min(low) - 1e-9);
        }
    }
}

#[test]
fn the_size_of_the_cache_changes_nothing() {
    for kernel in kernels() {
        let problem = problem(kernel);
        let (roomy, cramped) = (solved(&problem, 10.0, 1 << 24), solved(&problem, 10.0, 0));
        assert_eq!(roomy.alpha, cramped.alpha);
        assert_eq!(roomy.rho, cramped.rho);
    }
}

#[test]
fn rows_of_the_problem_before_help_and_do_not_matter() {
    let problem = problem(Kernel::Rbf { gamma: 20.0 });
    let mut workspace = Workspace::new(1 << 24);
    workspace.start(&problem);
    for c in [0.1, 1.0, 10.0] {
        let limits = Limits::new(&SvcParams { c, kernel: KernelName::Rbf, ..SvcParams::default() }, 700);
        let solution = problem.solve(limits, &mut workspace, &Context::default()).unwrap();
        assert_eq!(solution.alpha, solved(&problem, c, 1 << 24).alpha);
    }
}

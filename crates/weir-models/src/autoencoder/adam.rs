//! Adam (Kingma, Ba 2015) in the form of Keras' `Adam` with its defaults.

use crate::context::Simd;
use crate::simd::{Kernel, dispatch};

/// Running averages of one network's gradient and of its square.
pub(super) struct Adam {
    learning_rate: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
    /// Powers of the decay rates after the steps made.
    mean_decayed: f64,
    square_decayed: f64,
}

const MEAN_DECAY: f64 = 0.9;
const SQUARE_DECAY: f64 = 0.999;
const EPSILON: f64 = 1e-7;

impl Adam {
    /// Starts for a network of `parameters` numbers.
    pub(super) fn new(learning_rate: f64, parameters: usize) -> Self {
        Self {
            learning_rate,
            mean: vec![0.0; parameters],
            square: vec![0.0; parameters],
            mean_decayed: 1.0,
            square_decayed: 1.0,
        }
    }

    /// A step down `gradient`, which has one entry per parameter. Keras corrects the bias in the step size, so epsilon
    /// counts before the correction of the square.
    pub(super) fn step(&mut self, parameters: &mut [f64], gradient: &[f64], simd: Simd) {
        self.mean_decayed *= MEAN_DECAY;
        self.square_decayed *= SQUARE_DECAY;
        let size = self.learning_rate * (1.0 - self.square_decayed).sqrt() / (1.0 - self.mean_decayed);
        dispatch(simd, Step { size, parameters, gradient, mean: &mut self.mean, square: &mut self.square });
    }
}

struct Step<'a> {
    size: f64,
    parameters: &'a mut [f64],
    gradient: &'a [f64],
    mean: &'a mut [f64],
    square: &'a mut [f64],
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let averages = self.mean.iter_mut().zip(self.square);
        for ((parameter, gradient), (mean, square)) in self.parameters.iter_mut().zip(self.gradient).zip(averages) {
            *mean += (gradient - *mean) * (1.0 - MEAN_DECAY);
            *square += (gradient * gradient - *square) * (1.0 - SQUARE_DECAY);
            *parameter -= *mean * self.size / (square.sqrt() + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate_whatever_the_gradient() {
        for gradient in [0.5, -300.0] {
            let mut parameters = [1.0];
            Adam::new(0.001, 1).step(&mut parameters, &[gradient], Simd::Auto);
            assert!((parameters[0] - (1.0 - 0.001 * f64::signum(gradient))).abs() < 1e-8, "{parameters:?}");
        }
    }

    #[test]
    fn steps_reach_the_bottom_of_a_bowl() {
        let mut parameters = [1.0, -2.0];
        let mut adam = Adam::new(0.01, 2);
        for _ in 0..3000 {
            let gradient = [parameters[0] - 0.5, 10.0 * (parameters[1] - 0.25)];
            adam.step(&mut parameters, &gradient, Simd::Auto);
        }
        assert!((parameters[0] - 0.5).abs() < 1e-3 && (parameters[1] - 0.25).abs() < 1e-3, "{parameters:?}");
    }
}

//! Adam (Kingma, Ba 2015) in the form of Keras' `Adam` with its defaults.

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

    /// One step down the gradient; both iterators have one entry per parameter in the same order. Keras corrects the
    /// bias in the step size, so epsilon counts before the correction of the square.
    pub(super) fn step<'a>(
        &mut self,
        parameters: impl Iterator<Item = &'a mut f64>,
        gradient: impl Iterator<Item = f64>,
    ) {
        self.mean_decayed *= MEAN_DECAY;
        self.square_decayed *= SQUARE_DECAY;
        let size = self.learning_rate * (1.0 - self.square_decayed).sqrt() / (1.0 - self.mean_decayed);
        let averages = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, gradient), (mean, square)) in parameters.zip(gradient).zip(averages) {
            *mean += (gradient - *mean) * (1.0 - MEAN_DECAY);
            *square += (gradient * gradient - *square) * (1.0 - SQUARE_DECAY);
            *parameter -= *mean * size / (square.sqrt() + EPSILON);
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
            Adam::new(0.001, 1).step(parameters.iter_mut(), [gradient].into_iter());
            assert!((parameters[0] - (1.0 - 0.001 * f64::signum(gradient))).abs() < 1e-8, "{parameters:?}");
        }
    }

    #[test]
    fn steps_reach_the_bottom_of_a_bowl() {
        let mut parameters = [1.0, -2.0];
        let mut adam = Adam::new(0.01, 2);
        for _ in 0..3000 {
            let gradient = [parameters[0] - 0.5, 10.0 * (parameters[1] - 0.25)];
            adam.step(parameters.iter_mut(), gradient.into_iter());
        }
        assert!((parameters[0] - 0.5).abs() < 1e-3 && (parameters[1] - 0.25).abs() < 1e-3, "{parameters:?}");
    }
}

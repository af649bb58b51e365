//! Parameters of the training, checked.

use weir_contract::{ParamMap, ParamValue, Seed};

use crate::params::{ParamError, ParamReader};

/// How an autoencoder is built and trained. The default is the report's.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoencoderParams {
    pub(super) hidden: [usize; 2],
    pub(super) latent: usize,
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) learning_rate: f64,
    pub(super) seed: Seed,
}

impl Default for AutoencoderParams {
    fn default() -> Self {
        Self { hidden: [10, 8], latent: 6, epochs: 128, batch_size: 512, learning_rate: 1e-3, seed: Seed::default() }
    }
}

impl AutoencoderParams {
    /// Checks the parameters given in `map`; the others take the report's values.
    ///
    /// `hidden_1`, `hidden_2` and `latent` are units per layer (1 to 1024), `epochs` 1 to 100000, `batch_size` rows
    /// (1 to 1000000), `learning_rate` above 0 and at most 1.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown parameter or a value outside its range.
    pub fn from_map(map: &ParamMap) -> Result<Self, ParamError> {
        let default = Self::default();
        let mut reader = ParamReader::new("autoencoder", map);
        let params = Self {
            hidden: [
                reader.int("hidden_1", default.hidden[0], 1..=1024)?,
                reader.int("hidden_2", default.hidden[1], 1..=1024)?,
            ],
            latent: reader.int("latent", default.latent, 1..=1024)?,
            epochs: reader.int("epochs", default.epochs, 1..=100_000)?,
            batch_size: reader.int("batch_size", default.batch_size, 1..=1_000_000)?,
            learning_rate: reader.float("learning_rate", default.learning_rate, "above 0 and at most 1", |rate| {
                rate > 0.0 && rate <= 1.0
            })?,
            seed: default.seed,
        };
        reader.finish()?;
        Ok(params)
    }

    /// The same parameters under another seed. The seed is the run's, so it is not in the map.
    #[must_use]
    pub fn with_seed(self, seed: Seed) -> Self {
        Self { seed, ..self }
    }

    /// All parameters but the seed, defaults included.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        let whole = |number: usize| ParamValue::Int(number as i64);
        ParamMap::from([
            ("hidden_1".to_owned(), whole(self.hidden[0])),
            ("hidden_2".to_owned(), whole(self.hidden[1])),
            ("latent".to_owned(), whole(self.latent)),
            ("epochs".to_owned(), whole(self.epochs)),
            ("batch_size".to_owned(), whole(self.batch_size)),
            ("learning_rate".to_owned(), ParamValue::Float(self.learning_rate)),
        ])
    }

    /// Number of epochs, which is also how often a fit advances its progress.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The seed of initial weights and row order.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_round_trip_through_the_map() {
        let map = ParamMap::from([
            ("epochs".to_owned(), ParamValue::Int(3)),
            ("learning_rate".to_owned(), ParamValue::Float(0.01)),
        ]);
        let params = AutoencoderParams::from_map(&map).unwrap();
        assert_eq!((params.epochs, params.learning_rate, params.batch_size), (3, 0.01, 512));
        assert_eq!(AutoencoderParams::from_map(&params.to_map()), Ok(params));
        assert_eq!(AutoencoderParams::from_map(&ParamMap::new()), Ok(AutoencoderParams::default()));
    }

    #[test]
    fn values_out_of_range_and_unknown_names_are_refused() {
        let refusal = |name: &str, value| {
            AutoencoderParams::from_map(&ParamMap::from([(name.to_owned(), value)])).unwrap_err().to_string()
        };
        assert_eq!(
            refusal("batch_size", ParamValue::Int(0)),
            "autoencoder: batch_size must be a whole number from 1 to 1000000, received 0"
        );
        assert_eq!(
            refusal("learning_rate", ParamValue::Float(0.0)),
            "autoencoder: learning_rate must be above 0 and at most 1, received 0"
        );
        assert!(refusal("latents", ParamValue::Int(6)).starts_with("autoencoder has no parameter \"latents\""));
    }
}

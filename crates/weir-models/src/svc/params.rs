//! Parameters under scikit-learn's names.

use weir_contract::{ParamMap, ParamValue};

use crate::context::FitError;
use crate::params::{ParamError, ParamReader};
use crate::svc::kernel::Kernel;

/// Kernel coefficient of rbf, poly and sigmoid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gamma {
    /// 1 / (features x variance of all values the model is fitted on); 1 where the variance is 0.
    Scale,
    /// This value, above 0.
    Value(f64),
}

/// Which kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelName {
    /// x·z
    Linear,
    /// (gamma x·z + coef0)^degree
    Poly,
    /// exp(-gamma |x - z|²)
    Rbf,
    /// tanh(gamma x·z + coef0)
    Sigmoid,
}

const KERNELS: [(&str, KernelName); 4] = [
    ("linear", KernelName::Linear),
    ("poly", KernelName::Poly),
    ("rbf", KernelName::Rbf),
    ("sigmoid", KernelName::Sigmoid),
];

/// Parameters of C-support vector classification.
#[derive(Debug, Clone, PartialEq)]
pub struct SvcParams {
    /// Upper bound of every dual variable, above 0.
    pub c: f64,
    /// The kernel.
    pub kernel: KernelName,
    /// Kernel coefficient; linear has none.
    pub gamma: Gamma,
    /// Degree of poly.
    pub degree: u32,
    /// Constant term of poly and sigmoid.
    pub coef0: f64,
    /// The solver stops when no pair of variables violates the optimality conditions by as much as this.
    pub tol: f64,
    /// Limit on solver iterations; without one, libsvm's: the larger of 10^7 and 100 per row.
    pub max_iter: Option<u64>,
}

impl Default for SvcParams {
    /// scikit-learn's.
    fn default() -> Self {
        Self { c: 1.0, kernel: KernelName::Rbf, gamma: Gamma::Scale, degree: 3, coef0: 0.0, tol: 1e-3, max_iter: None }
    }
}

impl SvcParams {
    /// Largest degree of poly.
    pub(super) const MAX_DEGREE: u32 = 100;

    /// Checks `C`, `kernel`, `gamma`, `degree`, `coef0`, `tol` and `max_iter`; those not given are scikit-learn's.
    ///
    /// # Errors
    /// [`ParamError`] for another name or a value outside its range.
    pub fn from_map(map: &ParamMap) -> Result<Self, ParamError> {
        let defaults = Self::default();
        let mut reader = ParamReader::new("SVC", map);
        let params = Self {
            c: reader.float("C", defaults.c, "a number above 0", |c| c > 0.0)?,
            kernel: reader.choice("kernel", defaults.kernel, &KERNELS)?,
            gamma: gamma(&mut reader)?,
            degree: reader.int("degree", defaults.degree as usize, 0..=Self::MAX_DEGREE as usize)? as u32,
            coef0: reader.float("coef0", defaults.coef0, "a finite number", |_| true)?,
            tol: reader.float("tol", defaults.tol, "a number above 0", |tol| tol > 0.0)?,
            max_iter: max_iter(&mut reader)?,
        };
        reader.finish()?;
        Ok(params)
    }

    /// All parameters under their names; `max_iter` only when there is one.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        let (kernel, _) = KERNELS.iter().find(|(_, kernel)| *kernel == self.kernel).expect("every kernel is listed");
        let gamma = match self.gamma {
            Gamma::Scale => ParamValue::Text("scale".to_owned()),
            Gamma::Value(value) => number(value),
        };
        let mut map = ParamMap::from([
            ("C".to_owned(), number(self.c)),
            ("kernel".to_owned(), ParamValue::Text((*kernel).to_owned())),
            ("gamma".to_owned(), gamma),
            ("degree".to_owned(), ParamValue::Int(i64::from(self.degree))),
            ("coef0".to_owned(), number(self.coef0)),
            ("tol".to_owned(), number(self.tol)),
        ]);
        if let Some(limit) = self.max_iter {
            map.insert("max_iter".to_owned(), ParamValue::Int(limit as i64));
        }
        map
    }

    /// The refusal of parameters that kernel values on the data overflow with.
    pub(super) fn overflow(&self) -> FitError {
        let received = match self.gamma {
            Gamma::Scale => "scale".to_owned(),
            Gamma::Value(value) => format!("{value:?}"),
        };
        let reason = "kernel values overflow; scale the features or lower gamma, coef0 or degree".to_owned();
        FitError::Parameter { parameter: "gamma", received, reason }
    }

    /// The kernel for a model fitted on `rows`, each `[features]`. Parameters that the kernel does not have are gone,
    /// so candidates that differ only in those get equal kernels.
    pub(super) fn kernel_for<'a>(&self, features: usize, rows: impl Iterator<Item = &'a [f64]> + Clone) -> Kernel {
        let gamma = || match self.gamma {
            Gamma::Value(value) => value,
            Gamma::Scale => scale(features, rows),
        };
        match self.kernel {
            KernelName::Linear => Kernel::Linear,
            KernelName::Poly => Kernel::Poly { gamma: gamma(), coef0: self.coef0, degree: self.degree },
            KernelName::Rbf => Kernel::Rbf { gamma: gamma() },
            KernelName::Sigmoid => Kernel::Sigmoid { gamma: gamma(), coef0: self.coef0 },
        }
    }
}

fn gamma(reader: &mut ParamReader<'_>) -> Result<Gamma, ParamError> {
    let value = match reader.raw("gamma") {
        None => return Ok(Gamma::Scale),
        Some(ParamValue::Text(text)) if text == "scale" => return Ok(Gamma::Scale),
        Some(ParamValue::Int(value)) => *value as f64,
        Some(ParamValue::Float(value)) => *value,
        Some(_) => f64::NAN,
    };
    if value.is_finite() && value > 0.0 {
        Ok(Gamma::Value(value))
    } else {
        Err(reader.refuse("gamma", "scale or a number above 0"))
    }
}

/// scikit-learn writes -1 for no limit.
fn max_iter(reader: &mut ParamReader<'_>) -> Result<Option<u64>, ParamError> {
    if reader.raw("max_iter") == Some(&ParamValue::Int(-1)) {
        return Ok(None);
    }
    Ok(reader.int_or_none("max_iter", None, 1..=i64::MAX as usize)?.map(|limit| limit as u64))
}

fn scale<'a>(features: usize, rows: impl Iterator<Item = &'a [f64]> + Clone) -> f64 {
    let count = rows.clone().count() as f64 * features as f64;
    let mean = rows.clone().flatten().sum::<f64>() / count;
    let variance = rows.flatten().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    if variance > 0.0 { 1.0 / (features as f64 * variance) } else { 1.0 }
}

fn number(value: f64) -> ParamValue {
    let whole = value as i64;
    if whole as f64 == value && whole.abs() < 1 << 53 { ParamValue::Int(whole) } else { ParamValue::Float(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: ParamValue) -> String {
        SvcParams::from_map(&ParamMap::from([(name.to_owned(), value)])).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_map_is_the_default() {
        assert_eq!(SvcParams::from_map(&ParamMap::new()), Ok(SvcParams::default()));
    }

    #[test]
    fn a_map_comes_back_as_it_was() {
        let map = SvcParams::default().to_map();
        assert_eq!(map["C"], ParamValue::Int(1));
        assert_eq!(map["gamma"], ParamValue::Text("scale".to_owned()));
        assert_eq!(map["tol"], ParamValue::Float(1e-3));
        let params = SvcParams {
            c: 0.1,
            kernel: KernelName::Poly,
            gamma: Gamma::Value(2.0),
            degree: 2,
            coef0: -1.5,
            tol: 1e-4,
            max_iter: Some(7),
        };
        assert_eq!(SvcParams::from_map(&params.to_map()), Ok(params));
    }

    #[test]
    fn refusals_name_parameter_range_and_value() {
        assert_eq!(refusal("C", ParamValue::Int(0)), "SVC: C must be a number above 0, received 0");
        assert_eq!(
            refusal("gamma", ParamValue::Text("auto".to_owned())),
            "SVC: gamma must be scale or a number above 0, received auto"
        );
        assert_eq!(
            refusal("gamma", ParamValue::Float(-0.5)),
            "SVC: gamma must be scale or a number above 0, received -0.5"
        );
        assert_eq!(
            refusal("kernel", ParamValue::Text("RBF".to_owned())),
            "SVC: kernel must be linear or poly or rbf or sigmoid, received RBF"
        );
        assert_eq!(
            refusal("degree", ParamValue::Float(2.5)),
            "SVC: degree must be a whole number from 0 to 100, received 2.5"
        );
        assert_eq!(refusal("tol", ParamValue::Int(-1)), "SVC: tol must be a number above 0, received -1");
        assert_eq!(
            refusal("c", ParamValue::Int(1)),
            "SVC has no parameter \"c\", the nearest is C; it has C, kernel, gamma, degree, coef0, tol, max_iter"
        );
        assert_eq!(
            refusal("max_iter", ParamValue::Int(0)),
            "SVC: max_iter must be a whole number from 1 to 9223372036854775807 or none, received 0"
        );
    }

    #[test]
    fn no_limit_may_be_written_none_or_as_scikit_learn_does() {
        for none in [ParamValue::None, ParamValue::Text("none".to_owned()), ParamValue::Int(-1)] {
            let params = SvcParams::from_map(&ParamMap::from([("max_iter".to_owned(), none)]));
            assert_eq!(params, Ok(SvcParams::default()));
        }
    }

    #[test]
    fn scale_is_one_over_features_times_variance() {
        // Values 0, 1, 2, 5: mean 2, variance (4 + 1 + 0 + 9) / 4.
        let rows: [&[f64]; 2] = [&[0.0, 1.0], &[2.0, 5.0]];
        assert_eq!(scale(2, rows.into_iter()), 1.0 / (2.0 * 14.0 / 4.0));
        let constant: [&[f64]; 2] = [&[3.0], &[3.0]];
        assert_eq!(scale(1, constant.into_iter()), 1.0);
    }
}

//! The one shape of every model family, and the dispatch over families.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use weir_contract::{Family, ParamMap};

use crate::context::{Context, FitError};
use crate::data::Dataset;
use crate::knn::{Knn, KnnParams};
use crate::logistic::{Logistic, LogisticParams, Solver};
use crate::params::ParamError;
use crate::svc::{Svc, SvcParams};
use crate::tree::{Tree, TreeParams};

/// What a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreKind {
    /// Probability of class 1, in `[0, 1]`.
    Probability,
    /// Signed distance from the decision boundary; class 1 above 0.
    Decision,
}

/// Predictions for a matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Predicted class per row, 0 or 1.
    pub classes: Vec<u8>,
    /// Score per row, of the model's [`ScoreKind`]; not finite where the row is so far outside the range of train that
    /// the computation overflows, and the class then means nothing.
    pub scores: Vec<f64>,
}

/// A fitted model.
pub trait Classifier {
    /// Number of features a row must have.
    fn features(&self) -> usize;

    /// What the scores mean.
    fn score_kind(&self) -> ScoreKind;

    /// Predicts the rows of `x`: `[n, features]`, finite. The result of a row does not depend on the other rows, on
    /// their number or on the number of threads. An empty matrix gives empty predictions.
    ///
    /// # Panics
    /// When the number of columns is not [`Classifier::features`].
    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores;

    /// Nominal arithmetic operations per prediction, from the model's size.
    fn operations(&self) -> u64;
}

/// Checked parameters of one family.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelParams {
    /// Logistic regression.
    Logistic(LogisticParams),
    /// C-support vector classification.
    Svc(SvcParams),
    /// k nearest neighbours.
    Knn(KnnParams),
    /// Decision tree.
    Tree(TreeParams),
}

macro_rules! of_family {
    ($($variant:ident($params:ty)),*) => {
        $(impl From<$params> for ModelParams {
            fn from(params: $params) -> Self {
                Self::$variant(params)
            }
        })*
    };
}

of_family!(Logistic(LogisticParams), Svc(SvcParams), Knn(KnnParams), Tree(TreeParams));

/// A fitted model of one family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FittedModel {
    /// Logistic regression.
    Logistic(Logistic),
    /// C-support vector classification.
    Svc(Svc),
    /// k nearest neighbours.
    Knn(Knn),
    /// Decision tree.
    Tree(Tree),
}

impl ModelParams {
    /// Checks the parameters given in `map`; the others take scikit-learn's defaults.
    ///
    /// # Errors
    /// [`ParamError`] for an unknown parameter or a value outside its range.
    pub fn from_map(family: Family, map: &ParamMap) -> Result<Self, ParamError> {
        Ok(match family {
            Family::LogisticRegression => Self::Logistic(LogisticParams::from_map(map)?),
            Family::Svc => Self::Svc(SvcParams::from_map(map)?),
            Family::Knn => Self::Knn(KnnParams::from_map(map)?),
            Family::DecisionTree => Self::Tree(TreeParams::from_map(map)?),
        })
    }

    /// What is computed for these parameters: equal for candidates that differ in name only. Newton-CG and L-BFGS are two
    /// roads to one optimum.
    #[must_use]
    pub fn computation(&self) -> Self {
        match self {
            Self::Logistic(params) if params.solver == Solver::Lbfgs => {
                Self::Logistic(LogisticParams { solver: Solver::NewtonCg, ..params.clone() })
            }
            other => other.clone(),
        }
    }

    /// All parameters, defaults included.
    #[must_use]
    pub fn to_map(&self) -> ParamMap {
        match self {
            Self::Logistic(params) => params.to_map(),
            Self::Svc(params) => params.to_map(),
            Self::Knn(params) => params.to_map(),
            Self::Tree(params) => params.to_map(),
        }
    }
}

/// A fitted model and whether its solver reached its tolerance.
pub struct Fit<M> {
    /// The model.
    pub model: M,
    /// False when the solver stopped at its iteration limit.
    pub converged: bool,
}

impl<M> Fit<M> {
    fn map<N>(self, wrap: impl FnOnce(M) -> N) -> Fit<N> {
        Fit { model: wrap(self.model), converged: self.converged }
    }
}

/// Fits one model on all rows of `data`.
///
/// # Errors
/// [`FitError`] when there is nothing to learn from, the parameters do not fit the data, or the caller cancelled.
pub fn fit(params: &ModelParams, data: Dataset<'_>, context: &Context<'_>) -> Result<Fit<FittedModel>, FitError> {
    Ok(match params {
        ModelParams::Logistic(params) => params.fit(data, context)?.map(FittedModel::Logistic),
        ModelParams::Svc(params) => params.fit(data, context)?.map(FittedModel::Svc),
        ModelParams::Knn(params) => params.fit(data, context)?.map(FittedModel::Knn),
        ModelParams::Tree(params) => params.fit(data, context)?.map(FittedModel::Tree),
    })
}

impl FittedModel {
    /// The family.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Logistic(_) => Family::LogisticRegression,
            Self::Svc(_) => Family::Svc,
            Self::Knn(_) => Family::Knn,
            Self::Tree(_) => Family::DecisionTree,
        }
    }

    fn classifier(&self) -> &dyn Classifier {
        match self {
            Self::Logistic(model) => model,
            Self::Svc(model) => model,
            Self::Knn(model) => model,
            Self::Tree(model) => model,
        }
    }
}

impl Classifier for FittedModel {
    fn features(&self) -> usize {
        self.classifier().features()
    }

    fn score_kind(&self) -> ScoreKind {
        self.classifier().score_kind()
    }

    fn predict(&self, x: ArrayView2<'_, f64>) -> Scores {
        self.classifier().predict(x)
    }

    fn operations(&self) -> u64 {
        self.classifier().operations()
    }
}

//! Stratified folds without shuffling, as scikit-learn's `StratifiedKFold(n_splits, shuffle=False)`.

/// Train and test rows of one fold, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to fit on.
    pub train: Vec<u32>,
    /// Rows to score on.
    pub test: Vec<u32>,
}

/// The folds of a cross-validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    folds: Vec<Fold>,
}

/// Too few rows to cut folds from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{splits} folds need at least {splits} rows of each class, found {benign} benign and {malicious} malicious")]
pub struct FoldError {
    /// Folds asked for.
    pub splits: usize,
    /// Rows of class 0.
    pub benign: usize,
    /// Rows of class 1.
    pub malicious: usize,
}

impl Folds {
    /// Cuts `n_splits` folds (2 to 100) over `classes`: `[n]` of 0 and 1.
    ///
    /// The allocation is scikit-learn's: the sorted classes are dealt round the folds, which fixes how many rows of
    /// each class every fold holds out; within a class, rows go to the folds in file order. Classes count in the
    /// order in which they first appear.
    ///
    /// # Errors
    /// [`FoldError`] when a class has fewer rows than folds (scikit-learn warns, unless both have).
    ///
    /// # Panics
    /// When `n_splits` is outside its range, which is checked with the parameters of a run.
    pub fn stratified(classes: &[u8], n_splits: usize) -> Result<Self, FoldError> {
        assert!((2..=100).contains(&n_splits), "checked with the parameters");
        let malicious = classes.iter().filter(|&&class| class == 1).count();
        let benign = classes.len() - malicious;
        if benign < n_splits || malicious < n_splits {
            return Err(FoldError { splits: n_splits, benign, malicious });
        }
        // scikit-learn encodes classes by first appearance before sorting them.
        let first = classes[0];
        let counts = if first == 0 { [benign, malicious] } else { [malicious, benign] };
        let mut quota = vec![[0usize; 2]; n_splits];
        for position in 0..classes.len() {
            let class = usize::from(position >= counts[0]);
            quota[position % n_splits][class] += 1;
        }
        let mut fold_of_class = [0usize; 2];
        let mut held_out = Vec::with_capacity(classes.len());
        for &class in classes {
            let class = usize::from(class != first);
            let fold = &mut fold_of_class[class];
            while quota[*fold][class] == 0 {
                *fold += 1;
            }
            quota[*fold][class] -= 1;
            held_out.push(*fold as u8);
        }
        let folds = (0..n_splits)
            .map(|fold| {
                let (test, train) = (0..classes.len() as u32).partition(|&row| held_out[row as usize] as usize == fold);
                Fold { train, test }
            })
            .collect();
        Ok(Self { folds })
    }

    /// The folds in order.
    #[must_use]
    pub fn folds(&self) -> &[Fold] {
        &self.folds
    }

    /// Number of folds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// Whether there are no folds (never, after [`Folds::stratified`]).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `StratifiedKFold(3).split(x, [1,0,0,1,0,0,1,0,0,0])` of scikit-learn 1.7.
    #[test]
    fn folds_are_those_of_scikit_learn() {
        let folds = Folds::stratified(&[1, 0, 0, 1, 0, 0, 1, 0, 0, 0], 3).unwrap();
        let tests: Vec<&[u32]> = folds.folds().iter().map(|fold| &fold.test[..]).collect();
        assert_eq!(tests, [&[0, 1, 2, 4][..], &[3, 5, 7], &[6, 8, 9]]);
        assert_eq!(folds.folds()[1].train, [0, 1, 2, 4, 6, 8, 9]);
    }

    #[test]
    fn a_class_with_fewer_rows_than_folds_is_refused() {
        let error = Folds::stratified(&[0, 0, 0, 1], 3).unwrap_err();
        assert_eq!(error.to_string(), "3 folds need at least 3 rows of each class, found 3 benign and 1 malicious");
    }
}

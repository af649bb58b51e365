//! Reading everything once.

use serde::Serialize;

use crate::{Store, StoreError};

/// Something that is damaged or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Key of the file; empty where it is about no single one.
    pub key: String,
    /// What is wrong, with everything that needs it.
    pub reason: String,
}

impl Store {
    /// Reads and checks every record and every object that a commit names, and lists what is damaged or lost.
    ///
    /// # Errors
    /// Those of reading that are about the store as a whole (no access, no connection).
    pub fn verify(&self) -> Result<Vec<Problem>, StoreError> {
        let mut problems = Vec::new();
        for name in self.names_in("groups")? {
            for version in self.versions("groups", &name)? {
                let key = crate::GroupKey { name: name.clone(), version };
                let Some(commits) = self.sound(self.commits(&key), &mut problems)? else { continue };
                for commit in &commits {
                    for object in commit.objects() {
                        self.sound(self.fetch(&object, &commit.title()), &mut problems)?;
                    }
                    self.sound(self.labels(std::slice::from_ref(commit)), &mut problems)?;
                }
            }
        }
        for name in self.names_in("datasets")? {
            for version in self.versions("datasets", &name)? {
                let lineage = self.dataset(&name, version).and_then(|dataset| self.lineage(&dataset));
                self.sound(lineage, &mut problems)?;
            }
        }
        problems.dedup();
        Ok(problems)
    }

    /// The value, or its damage among `problems`.
    fn sound<T>(&self, result: Result<T, StoreError>, problems: &mut Vec<Problem>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let key = match &error {
                    StoreError::Record { key, .. }
                    | StoreError::Newer { key, .. }
                    | StoreError::Object { key, .. }
                    | StoreError::MissingObject { key, .. } => key.clone(),
                    StoreError::Unknown { .. } | StoreError::Labels(_) => String::new(),
                    _ => return Err(error),
                };
                problems.push(Problem { key, reason: error.to_string() });
                Ok(None)
            }
        }
    }
}

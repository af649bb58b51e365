//! Labels that come after the rows: label commits, and the labels of a snapshot.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::commit::{Change, Commit, Relabel};
use crate::insert::Stored;
use crate::labels::Layer;
use crate::{Extension, GroupKey, LabelFile, LabelKind, Labels, Note, Store, StoreError};

/// Files of labels to be added; see [`crate::labels`] for their forms and which label wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLabels {
    /// The files. Ids win over rules whatever the order; among rules the first file counts first.
    pub files: Vec<PathBuf>,
}

/// What became of new labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Labelled {
    /// They are there for every reader from now on.
    Committed(Commit),
    /// The last labels added to the group are just these: nothing changed. The number is that of their commit.
    Unchanged(u32),
}

impl Store {
    /// Commits labels to a group. The files are read in full first: what cannot be used is refused.
    ///
    /// # Errors
    /// [`StoreError::Labels`] naming file, line and rule; [`StoreError::Refused`] without files; otherwise as
    /// [`Store::insert`].
    pub fn add_labels(&self, group: &GroupKey, new: &NewLabels, note: &Note) -> Result<Labelled, StoreError> {
        if new.files.is_empty() {
            let reason = "no file of labels was named".to_owned();
            return Err(StoreError::Refused { group: group.to_string(), reason });
        }
        let mut texts = Vec::new();
        for path in &new.files {
            let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            texts.push((name, fs::read(path).map_err(StoreError::io("read", path))?));
        }
        let layer = Layer::parse(texts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))?;
        let mut commits = self.commits(group)?;
        let _guard = self.objects.writing()?;
        let mut stored = Stored::new(self);
        let mut files = Vec::new();
        for ((name, bytes), (form, entries)) in texts.into_iter().zip(layer.contents()) {
            let extension = if form == LabelKind::Ids { Extension::Csv } else { Extension::Toml };
            files.push(LabelFile { name, object: stored.bytes(bytes, extension)?, form, entries });
        }
        let change = Change::Label(Relabel { files });
        let settled = |commits: &[Commit]| {
            let last = commits.iter().rev().find(|commit| commit.insert().is_none());
            last.filter(|last| last.objects() == objects(&change)).map(|last| Labelled::Unchanged(last.number))
        };
        if let Some(settled) = settled(&commits) {
            return Ok(settled);
        }
        match self.append(group, &mut commits, &change, note, settled)? {
            Ok(commit) => stored.check().map(|()| Labelled::Committed(commit)),
            Err(settled) => Ok(settled),
        }
    }

    /// The labels of `commits`.
    pub(crate) fn labels(&self, commits: &[Commit]) -> Result<Labels, StoreError> {
        let mut layers = Vec::new();
        for commit in commits {
            let Change::Label(labels) = &commit.change else { continue };
            let mut texts = Vec::new();
            for file in &labels.files {
                texts.push((file.name.as_str(), self.read(&file.object, &commit.title())?));
            }
            layers.push(Layer::parse(texts.iter().map(|(name, bytes)| (*name, bytes.as_slice())))?);
        }
        Ok(Labels::new(layers))
    }
}

fn objects(change: &Change) -> Vec<crate::Object> {
    match change {
        Change::Label(labels) => labels.files.iter().map(|file| file.object).collect(),
        Change::Insert(_) => Vec::new(),
    }
}

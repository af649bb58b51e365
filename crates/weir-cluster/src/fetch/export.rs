//! An artifact through the log of a pod: the one way out of a volume that needs no service, no port and no more rights
//! than to read logs.
//!
//! Lines of JSON: strings with the pieces of a gzipped tar archive in base64, then an object with its SHA-256.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize};
use weir_contract::Digest;
use weir_stage::{CommonArgs, Failure, Stage};

/// Bytes in a line: container engines cut lines of 16 KiB.
const PIECE: usize = 9_000;

/// Write an artifact to stdout as text that survives a log
#[derive(Debug, Clone, Parser)]
pub struct ExportArgs {
    /// Directory of the artifact
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for ExportArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    sha256: Digest,
    bytes: usize,
}

/// Writes the artifact at `dir` to stdout.
///
/// # Errors
/// A failure of input (exit 3) for a directory that cannot be read; to be retried (exit 1) when stdout cannot be written.
pub fn export_command(args: ExportArgs, _: &Stage) -> Result<(), Failure> {
    let archive =
        pack(&args.dir).map_err(|error| Failure::input(format!("failed to read {}: {error}", args.dir.display())))?;
    let mut stdout = io::stdout().lock();
    let written = write_lines(&archive, &mut stdout).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::retry(format!("failed to write to stdout: {error}")))
}

fn pack(dir: &Path) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    archive.append_dir_all("", dir)?;
    archive.into_inner()?.finish()
}

fn write_lines(archive: &[u8], to: &mut impl Write) -> io::Result<()> {
    for piece in archive.chunks(PIECE) {
        writeln!(to, "{}", serde_json::to_string(&ByteString(piece.to_vec()))?)?;
    }
    writeln!(to, "{}", serde_json::to_string(&End { sha256: Digest::of(archive), bytes: archive.len() })?)
}

/// Puts together what [`export_command`] wrote.
#[derive(Debug, Default)]
pub(super) struct Import {
    archive: Vec<u8>,
    whole: bool,
    /// Lines that are none of ours: what the program says of itself.
    pub(super) words: Vec<String>,
}

impl Import {
    /// Takes the next line of the log.
    pub(super) fn line(&mut self, line: &str) {
        if let Ok(ByteString(piece)) = serde_json::from_str(line) {
            self.archive.extend(piece);
        } else if let Ok(end) = serde_json::from_str::<End>(line) {
            self.whole = end.bytes == self.archive.len() && end.sha256 == Digest::of(&self.archive);
        } else {
            self.words.push(line.to_owned());
        }
    }

    /// Bytes that have arrived.
    pub(super) fn bytes(&self) -> usize {
        self.archive.len()
    }

    /// Unpacks the archive into `dir`.
    ///
    /// # Errors
    /// A failure to be retried for one that is not whole, or cannot be written.
    pub(super) fn unpack(self, dir: &Path) -> Result<(), Failure> {
        if !self.whole {
            return Err(Failure::retry(format!(
                "only {} bytes of the artifact arrived, or others",
                self.archive.len()
            )));
        }
        let failed = |error: io::Error| Failure::retry(format!("failed to unpack into {}: {error}", dir.display()));
        let mut tar = Vec::new();
        GzDecoder::new(self.archive.as_slice()).read_to_end(&mut tar).map_err(failed)?;
        let mut archive = tar::Archive::new(tar.as_slice());
        archive.set_preserve_permissions(false);
        archive.unpack(dir).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_imported_and_a_lost_line_is_noticed() {
        let from = tempfile::tempdir().unwrap();
        std::fs::create_dir(from.path().join("bundle")).unwrap();
        // Bytes that gzip cannot make smaller, for more than one line.
        let bytes: Vec<u8> =
            (0_u32..10_000).flat_map(|i| Digest::of(&i.to_le_bytes()).to_string().into_bytes()).collect();
        std::fs::write(from.path().join("bundle/detector.weir"), &bytes).unwrap();
        let mut text = Vec::new();
        write_lines(&pack(from.path()).unwrap(), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.lines().count() > 10 && text.lines().all(|line| line.len() < 16_000));

        let to = tempfile::tempdir().unwrap();
        let mut import = Import::default();
        text.lines().for_each(|line| import.line(line));
        import.unpack(to.path()).unwrap();
        assert_eq!(std::fs::read(to.path().join("bundle/detector.weir")).unwrap(), bytes);

        let mut import = Import::default();
        text.lines().enumerate().filter(|(i, _)| *i != 3).for_each(|(_, line)| import.line(line));
        assert!(import.unpack(to.path()).unwrap_err().message.contains("arrived"));
    }
}

//! `weir audit`: what in feature tables lets a model learn who, when or which record.

use std::path::PathBuf;

use clap::Parser;
use weir_artifact::Artifact;
use weir_stage::{CommonArgs, Failure, Stage};

#[derive(Parser)]
pub(crate) struct Args {
    /// Directory of the feature tables
    #[arg(value_name = "DIR", default_value = "weir-run/features")]
    features: PathBuf,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let artifact = Artifact::open(&args.features)?;
    artifact.verify()?;
    let audit = weir_features::audit_tables(&artifact, stage)?;
    stage.result(&audit, || weir_audit::text(&audit))
}

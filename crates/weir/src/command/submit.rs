//! `weir submit`: the template that the pipeline gives, handed to what speaks to the cluster.

use clap::Parser;
use weir_cluster::{ArtifactsArg, SubmitArgs, Template, submit_command};
use weir_pipeline::{PipelineSpec, argo};
use weir_stage::{CommonArgs, Failure, Stage};

#[derive(Parser)]
pub(crate) struct Args {
    #[command(flatten)]
    submit: SubmitArgs,

    /// Let Argo remember features and trials by what they are made of; its controller needs the right to write ConfigMaps
    #[arg(long, conflicts_with = "no_apply")]
    memoize: bool,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        self.submit.as_ref()
    }
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let memoize = args.memoize;
    submit_command(args.submit, stage, |artifacts| {
        let artifacts = match artifacts {
            ArtifactsArg::S3 => argo::Artifacts::S3,
            ArtifactsArg::Volume => argo::Artifacts::Volume,
        };
        let options = argo::Options { artifacts, memoize };
        Ok(Template { manifest: argo::workflow_template(&PipelineSpec::default(), stage.version(), options) })
    })
}

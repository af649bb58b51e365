//! The run report: hands what was read to weir-report.

use weir_bundle::BundleName;
use weir_contract::trial::Trials;
use weir_report::{LineageStep, RunReport, Timing};
use weir_stage::Failure;

use crate::inputs::Inputs;
use crate::run::Run;

/// The page as text. `version` is that of the program.
pub(crate) fn render(name: &BundleName, run: &Run, inputs: &Inputs, version: &str) -> Result<String, Failure> {
    let trials: Vec<Trials> = inputs.trainings.values().map(|training| training.trials.clone()).collect();
    let lineage = inputs.artifacts().map(|(name, artifact)| {
        let manifest = artifact.manifest();
        LineageStep {
            name,
            stage: manifest.stage.clone(),
            digest: artifact.digest(),
            inputs: manifest.inputs.iter().map(|(role, digest)| (role.clone(), *digest)).collect(),
            build: manifest.build.clone(),
            seed: manifest.seed,
        }
    });
    let report = RunReport {
        title: &format!("Run report: {name}"),
        version,
        features: &run.schema,
        statistics: &run.statistics,
        expectations: &run.expectations,
        audit: &run.audit,
        searches: &run.searches,
        trials: &trials,
        encoder: run.encoder.as_ref(),
        selection: &inputs.choice,
        lineage: lineage.collect(),
        timings: run.timings.iter().map(|(name, info)| Timing { name: name.clone(), info }).collect(),
    };
    Ok(weir_report::render(&report)?)
}

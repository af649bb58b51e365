//! The model card: what the bundle is, what it was made from and how good it is, in Markdown.
//!
//! Every number is read from an artifact. Nothing in it depends on when, where or how fast the run was, so that the
//! card is part of the bundle's digest. Sections follow Mitchell et al., "Model Cards for Model Reporting" (2019).

use weir_bundle::{BundleName, Provenance};
use weir_contract::feature::{Identifies, ScalerKind};
use weir_contract::metrics::ClassScores;
use weir_contract::selection::Selection;
use weir_contract::statistics::SplitStatistics;
use weir_contract::{Calibration, ConfusionMatrix, ParamMap, Representation, Setting};
use weir_models::{Classifier, ScoreKind};
use weir_report::wilson_interval;

use crate::inputs::Inputs;
use crate::markdown::{moment, plain, share, table};
use crate::run::Run;

/// The card's text.
pub(crate) fn write(name: &BundleName, run: &Run, inputs: &Inputs, provenance: &Provenance) -> String {
    [
        summary(name, run),
        intended_use(run, inputs.choice.ranking.len()),
        data(run),
        features(run),
        model(run),
        results(&run.winner.confusion, run.winner.roc_auc),
        selection(&inputs.choice, run),
        reproducibility(inputs, provenance),
    ]
    .concat()
}

fn summary(name: &BundleName, run: &Run) -> String {
    let id = run.winner.id;
    let (family, seen) = (id.family.title(), sees(run));
    let confusion = &run.winner.confusion;
    format!(
        "# {name}\n\n\
         Tells benign from malicious network flows. {family} on {seen}; trial `{id}`. On {} test flows that it was \
         not trained on it is right on {}, an accuracy of {}.\n\n",
        confusion.rows(),
        confusion.correct(),
        accuracy(confusion)
    )
}

fn intended_use(run: &Run, trials: usize) -> String {
    let score = match run.detector.score_kind() {
        ScoreKind::Probability => "the probability of malicious, from 0 to 1",
        ScoreKind::Decision if run.winner.calibration.is_some() => {
            "a signed distance from the decision boundary, above 0 for malicious; a probability comes with it, see Model"
        }
        ScoreKind::Decision => "a signed distance from the decision boundary, above 0 for malicious",
    };
    let mut text = format!(
        "## Intended use and limits\n\n\
         Takes canonical flows, or vectors of the features below, and gives each a label (0 benign, 1 malicious) and a \
         score: {score}. It is meant for flows of the kind it was trained on, from the same exporters, as one signal \
         among others.\n\n\
         - A label says that a flow resembles flows with that label in the training data. It proves no attack.\n\
         - An attack without flows in train, see Data, was not learned; one with flows in test only was tested, but \
         not learned.\n\
         - The results come from a test split of the same data. On other networks and at later times expect less, and \
         measure it.\n"
    );
    if trials > 1 {
        text +=
            &format!("- The trial is the best of {trials} on that split, so its result there flatters it a little.\n");
    }
    let rules = run.transform.set().rows();
    if !rules.transport.is_empty() {
        let kept: Vec<&str> = rules.transport.iter().map(|transport| transport.name()).collect();
        text += &format!("- Only {} flows are judged; others are returned without a label.\n", kept.join(" and "));
    }
    text += "- A flow whose features cannot be computed is returned without a label and with the reason.\n";
    for warning in &run.audit.warnings {
        let (feature, found) = (plain(&warning.feature), plain(&warning.finding.in_words()));
        text += &format!("- Feature {feature} {found}: {}.\n", plain(&warning.consequence));
    }
    if run.audit.warnings.is_empty() {
        text += "- No feature is declared to identify a host, a moment or a record.\n";
    }
    if let Some(measured) = &run.audit.measured
        && let (Some(split), Some(time)) = (measured.together.split, measured.together.time)
    {
        text += &format!(
            "- A decision tree of depth {} has a balanced accuracy of {} on the split and {} when fitted on earlier and \
             scored on later flows.\n",
            measured.method.depth,
            share(split),
            share(time)
        );
    }
    text + "\n"
}

fn data(run: &Run) -> String {
    let statistics = &run.statistics;
    let mut text = "## Data\n\n".to_owned();
    if let Some((first, last)) = statistics.event_time {
        text += &format!("Flows from {} to {} UTC.\n\n", moment(first), moment(last));
    }
    let splits = statistics.splits.iter().map(|split| {
        let SplitStatistics { split, benign, malicious, .. } = split;
        [plain(split), (benign + malicious).to_string(), benign.to_string(), malicious.to_string()].to_vec()
    });
    text += &table(&["split", "flows", "benign", "malicious"], splits);
    text += "The model was fitted on train and chosen on test. The validation split was not used.\n\n";

    let mut attacks: Vec<&String> = statistics.splits.iter().flat_map(|split| split.attacks.keys()).collect();
    attacks.sort();
    attacks.dedup();
    if !attacks.is_empty() {
        let count = |split: &SplitStatistics, attack: &String| split.attacks.get(attack).unwrap_or(&0).to_string();
        let rows = attacks.into_iter().map(|attack| {
            let counts = statistics.splits.iter().map(|split| count(split, attack));
            std::iter::once(plain(attack)).chain(counts).collect()
        });
        let names: Vec<String> = statistics.splits.iter().map(|split| plain(&split.split)).collect();
        let head: Vec<&str> = std::iter::once("attack").chain(names.iter().map(String::as_str)).collect();
        text += &table(&head, rows);
    }

    let rows = &statistics.rows;
    text += &format!(
        "Of {} records read, {} were kept, {} set aside with a reason and {} replaced by a later record of the same flow",
        rows.input, rows.kept, rows.quarantined, rows.deduplicated
    );
    for (rule, count) in &rows.excluded {
        text += &format!(", {count} left out ({})", plain(rule));
    }
    let checks = &run.expectations.statistics;
    text + &format!(
        ". Expectation suite {}: {} of {} held.\n\n",
        plain(&run.expectations.suite_name),
        checks.successful_expectations,
        checks.evaluated_expectations
    )
}

fn features(run: &Run) -> String {
    let rows = run.schema.features.iter().map(|feature| {
        let range = format!("{} to {}", feature.statistics.minimum, feature.statistics.maximum);
        vec![
            plain(&feature.name),
            plain(&feature.unit),
            plain(&feature.description),
            plain(&feature.expression),
            range,
            feature.identifies.map_or("", Identifies::name).to_owned(),
        ]
    });
    format!(
        "## Features\n\nFeature set {}, in this order, unscaled.\n\n{}",
        plain(&run.schema.feature_set),
        table(&["feature", "unit", "description", "expression", "range in train", "identifies"], rows)
    )
}

fn model(run: &Run) -> String {
    let trial = &run.winner;
    let scaling = match run.detector.scaler().kind() {
        ScalerKind::MinMax => "scaled to [0, 1] by minimum and maximum of train",
        ScalerKind::Standard => "scaled to mean 0 and variance 1 of train",
        ScalerKind::Robust => "scaled to median 0 and interquartile range 1 of train",
        ScalerKind::None => "not scaled",
    };
    let mut text = format!(
        "## Model\n\n{}, {}, on {}; features {scaling}; {} nominal operations per prediction.\n\n",
        trial.id.family.title(),
        match trial.id.setting {
            Setting::Default => "default parameters",
            Setting::Best => "the best candidate of its search",
        },
        sees(run),
        trial.operations
    );
    text += &parameters(&trial.parameters);
    if let Some(Calibration { a, b }) = trial.calibration {
        text += &format!(
            "The probability of malicious for a decision value f is 1 / (1 + exp(a f + b)) with a = {a} and b = {b} \
             (Platt's sigmoid), fitted on decision values of train rows that a fold held out. The label follows the \
             decision value.\n\n"
        );
    }
    if let Some(encoder) = run.encoder.as_ref().filter(|_| trial.id.representation == Representation::Autoencoder) {
        let layers: Vec<String> = encoder.layers.iter().map(usize::to_string).collect();
        text += &format!(
            "Autoencoder with layers {} (latent: layer {}), mean squared error {} on train.\n\n",
            layers.join(", "),
            encoder.latent + 1,
            encoder.final_loss
        );
        text += &parameters(&encoder.parameters);
    }
    trial.warnings.iter().for_each(|warning| text += &format!("Warning: {}.\n\n", plain(warning)));
    text
}

fn parameters(parameters: &ParamMap) -> String {
    table(&["parameter", "value"], parameters.iter().map(|(name, value)| vec![plain(name), plain(&value.to_string())]))
}

fn results(confusion: &ConfusionMatrix, roc_auc: Option<f64>) -> String {
    let class = |name: &str, scores: ClassScores| {
        let ClassScores { precision, recall, f1, support } = scores;
        vec![name.to_owned(), share(precision), share(recall), share(f1), support.to_string()]
    };
    let actual = |name: &str, benign: u64, malicious: u64| {
        vec![format!("actually {name}"), benign.to_string(), malicious.to_string()]
    };
    format!(
        "## Results on test\n\nAccuracy {}. Balanced accuracy {}, Matthews correlation {}, area under the ROC curve {}.\n\n",
        accuracy(confusion),
        share(confusion.balanced_accuracy()),
        share(confusion.mcc()),
        roc_auc.map_or_else(|| "not defined".to_owned(), share)
    ) + &table(
        &["class", "precision", "recall", "F1", "flows"],
        [class("benign", confusion.benign()), class("malicious", confusion.malicious())],
    ) + &table(
        &["", "predicted benign", "predicted malicious"],
        [
            actual("benign", confusion.true_negatives, confusion.false_positives),
            actual("malicious", confusion.false_negatives, confusion.true_positives),
        ],
    )
}

fn selection(choice: &Selection, run: &Run) -> String {
    let mut text = format!("## Selection\n\nRanked by {} on test. {}.\n\n", choice.metric, plain(&choice.reason));
    let ranked = choice.ranking.iter().map(|ranked| {
        let ConfusionMatrix { false_negatives, false_positives, .. } = ranked.confusion;
        [
            format!("`{}`", ranked.id),
            share(ranked.value),
            false_negatives.to_string(),
            false_positives.to_string(),
            ranked.operations.to_string(),
        ]
        .to_vec()
    });
    let metric = choice.metric.name();
    text += &table(&["trial", metric, "false negatives", "false positives", "operations"], ranked);
    if let Some(search) = run.winners_search()
        && let Some(best) = search.candidates.get(search.best)
    {
        let cut = match search.candidates.iter().filter(|candidate| candidate.cut.is_some()).count() {
            0 => String::new(),
            cut => format!(", of which {cut} were scored on part of train only"),
        };
        let train = match best.cut {
            None => "train".to_owned(),
            Some(cut) => format!("the first {} rows of train", cut.rows),
        };
        text += &format!(
            "Candidates in the search of its family: {}{cut}. By mean accuracy over {} folds of {train} the best \
             reached {} with standard deviation {}.\n\n",
            search.candidates.len(),
            search.folds,
            share(best.mean),
            share(best.standard_deviation)
        );
    }
    text += &format!("Verdict: {}.", choice.verdict.name());
    if let Some(champion) = &choice.champion {
        text += &format!(" Against champion `{}`: {}.", champion.id, plain(&champion.reason));
    } else {
        text += " There is no champion to compare with.";
    }
    text += "\n\n";
    choice.warnings.iter().for_each(|warning| text += &format!("Warning: {}.\n\n", plain(warning)));
    text
}

fn reproducibility(inputs: &Inputs, provenance: &Provenance) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, artifact) in inputs.artifacts() {
        let digest = artifact.digest();
        if ![provenance.features, provenance.training, provenance.selection].contains(&digest) {
            continue;
        }
        let manifest = artifact.manifest();
        let seed = manifest.seed.map_or_else(String::new, |seed| seed.to_string());
        rows.push(vec![name, format!("`{digest}`"), format!("`{}`", plain(&manifest.build)), seed]);
    }
    rows.push(vec!["this bundle".to_owned(), String::new(), format!("`{}`", provenance.build), String::new()]);
    let revision = provenance
        .revision
        .as_ref()
        .map_or_else(String::new, |revision| format!("It was made for revision {}.\n\n", plain(revision)));
    format!(
        "## Reproducibility\n\n\
         The same inputs, parameters, seeds and builds give the same bytes. A digest is the SHA-256 of the artifact's \
         `manifest.json`.\n\n{}{revision}\
         `sha256sum -c SHA256SUMS` checks the files of this bundle.\n",
        table(&["made from", "digest", "build", "seed"], rows)
    )
}

fn sees(run: &Run) -> String {
    match run.detector.encoder() {
        None => format!("{} features of the flow", run.schema.features.len()),
        Some(encoder) => {
            format!("{} latent features of an autoencoder over {}", encoder.latent(), run.schema.features.len())
        }
    }
}

/// The accuracy with its 95 % Wilson interval.
fn accuracy(confusion: &ConfusionMatrix) -> String {
    let (low, high) = wilson_interval(confusion.correct(), confusion.rows());
    format!("{} (95 % Wilson interval {} to {})", share(confusion.accuracy()), share(low), share(high))
}

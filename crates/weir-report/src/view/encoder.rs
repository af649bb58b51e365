//! How the autoencoder was trained.

use minijinja::Value;
use serde::Serialize;
use weir_contract::trial::EncoderReport;

use crate::chart;
use crate::text::{self, Figure};

#[derive(Debug, Serialize)]
pub(crate) struct Encoder {
    epochs: usize,
    final_loss: Figure,
    layers: String,
    latent_units: usize,
    dead: Vec<usize>,
    loss_chart: Value,
    layers_chart: Value,
    parameters: Vec<(String, String)>,
    milestones: Vec<(usize, Figure)>,
}

pub(crate) fn view(encoder: &EncoderReport) -> Encoder {
    let epochs = encoder.loss.len();
    let milestones = [1, 6, 32, 64, 128, epochs];
    let mut shown: Vec<usize> = milestones.into_iter().filter(|&epoch| (1..=epochs).contains(&epoch)).collect();
    shown.sort_unstable();
    shown.dedup();
    Encoder {
        epochs,
        final_loss: text::figure(encoder.final_loss),
        layers: encoder.layers.iter().map(usize::to_string).collect::<Vec<_>>().join(" → "),
        latent_units: encoder.layers.get(encoder.latent).copied().unwrap_or(0),
        dead: encoder.dead_units.clone(),
        loss_chart: chart::loss(&encoder.loss, encoder.final_loss),
        layers_chart: chart::layers(&encoder.layers, encoder.latent, &encoder.dead_units),
        parameters: encoder.parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        milestones: shown.into_iter().map(|epoch| (epoch, text::figure(encoder.loss[epoch - 1]))).collect(),
    }
}

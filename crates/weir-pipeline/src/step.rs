//! What the steps of the pipeline are, before they fan out: what they take, write and are called with.

/// One step of the pipeline: a program in an image of its own, and how it is called.
///
/// Everything made from the pipeline (a local run, containers, a workflow of a cluster) calls the same program with the
/// same arguments; only where artifacts lie and who puts them there differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its name, that of the stage: `training`.
    pub name: &'static str,
    /// The image that holds its program, without registry and tag; the program is `/` and the same name.
    pub image: &'static str,
    /// What it does, in one line for people.
    pub about: &'static str,
    /// Whether it runs once or for every trial.
    pub fan: Fan,
    /// What it takes from other steps, in a fixed order.
    pub inputs: &'static [Port],
    /// The artifact that it writes, if it writes one.
    pub output: Option<Output>,
    /// What the program is called with.
    pub arguments: &'static [Argument],
    /// Small results that it hands to the workflow.
    pub values: &'static [Value],
    /// How a large input is divided among many machines, if it can be.
    pub divided: Option<Divided>,
    /// Whether it is part of the run only when the parameter `deploy` is `true`.
    pub deployment: bool,
    /// What it needs.
    pub resources: Resources,
    /// Longest time for one attempt, in seconds.
    pub timeout: u32,
}

/// How often a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// Once.
    Once,
    /// For every trial, side by side where there are machines.
    Trials,
}

/// An artifact that a step takes from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// What the artifact is to the step that takes it.
    pub name: &'static str,
    /// The step that writes it; where that one runs for every trial, all of its artifacts are taken.
    pub from: &'static str,
}

/// The artifact that a step writes: a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its name, and that of its directory in a run directory; with a fan-out that of the directory around them.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Tables of features in three splits.
    Features,
    /// The two fits of a family on a representation, with their metrics and confusion matrices on test.
    Trial,
    /// The ranking of all trials.
    Selection,
    /// The bundle, as directory and as image, and the report of the run.
    Package,
    /// What a deployed predictor answered to the validation flows.
    Validation,
}

/// A piece of a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// A text as it stands: an option, a subcommand.
    Text(&'static str),
    /// The value of the parameter of this name.
    Parameter(&'static str),
    /// The representation of the trial that the step runs for.
    Representation,
    /// The model family of the trial that the step runs for.
    Model,
    /// The directory of an input, by the name of the port; of all of them, where the step before fans out.
    Input(&'static str),
    /// The directory of the step's own artifact.
    Output,
    /// A file or directory inside the directory of the step's own artifact.
    OutputFile(&'static str),
    /// The URI at which a predictor finds a directory inside an input.
    Uri {
        /// Name of the port.
        input: &'static str,
        /// The directory inside the artifact.
        inside: &'static str,
    },
    /// A small result of an earlier step.
    Value {
        /// The step.
        of: &'static str,
        /// The result.
        name: &'static str,
    },
    /// The plan of a divided step: a file or a directory, as the program has it.
    Plan,
    /// Into how many a step is divided.
    Pieces,
    /// The number of the piece, from 0.
    Piece,
    /// The directory of the piece.
    PieceOutput,
    /// The directories of all pieces.
    PieceOutputs,
}

/// A small result of a step: a word, a number or a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// Its name, and that of the file in which the step leaves it.
    pub name: &'static str,
    /// What it says, for people.
    pub about: &'static str,
}

/// How a step is divided: a plan is made, each piece of it runs, and the pieces are gathered into the artifact that the
/// undivided step would have written, to the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divided {
    /// The parameter that says into how many; 1 is not divided.
    pub parameter: &'static str,
    /// Makes the plan.
    pub plan: &'static [Argument],
    /// Whether the plan is a file; otherwise it is a directory.
    pub plan_is_file: bool,
    /// Runs a piece.
    pub piece: &'static [Argument],
    /// Gathers the pieces.
    pub gather: &'static [Argument],
}

/// What a step needs of a machine, as Kubernetes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Processors it asks for, in thousandths. It may take more where there are more.
    pub cpu_millis: u32,
    /// Memory it asks for, in MiB.
    pub memory_mib: u32,
    /// Memory at which it is ended, in MiB.
    pub memory_limit_mib: u32,
    /// Disk it may fill, in MiB.
    pub disk_mib: u32,
}

/// A parameter of a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: Default,
    /// What it says, for people.
    pub about: &'static str,
    /// The values it can have; empty: any.
    pub choices: &'static [&'static str],
}

/// The value of a parameter where none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// A text.
    Text(&'static str),
    /// The trials of the graph, as a JSON list of objects with `representation` and `model`.
    Trials,
    /// The version of this build.
    Version,
}

/// How often a step is tried again: exit codes decide. A code in [`FINAL_EXIT_CODES`] never is.
pub const RETRIES: u32 = 2;
/// Seconds before the first try again; they double.
pub const RETRY_SECONDS: u32 = 10;
/// Usage, input, gate: another try would end the same way.
pub const FINAL_EXIT_CODES: [u8; 3] = [
    weir_contract::ExitCode::Usage.code(),
    weir_contract::ExitCode::Input.code(),
    weir_contract::ExitCode::Gate.code(),
];

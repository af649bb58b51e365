//! The pipeline itself.

use crate::step::{Argument, Default, Divided, Fan, Kind, Output, Parameter, Port, Resources, Step, Value};

use Argument::{Input, Model, OutputFile, Piece, PieceOutput, PieceOutputs, Pieces, Plan, Representation, Text, Uri};

/// Where a run reads its flows when it is given none: the sample in the image of the features stage.
pub const SAMPLE: &str = "/usr/share/weir/sample/flows.csv";

/// Where images are pulled from where no registry is named: one on the machine.
pub const REGISTRY: &str = "localhost:5000";

/// The parameters of a run, in the order in which people see them.
pub const PARAMETERS: &[Parameter] = &[
    text("flows", SAMPLE, "Flow file, or a directory of flow files, as the features step sees it"),
    text("flows-digest", "", "SHA-256 of the flows, so that the same flows are not read again; empty: not known"),
    text("format", "", "Format of the flows; empty: recognised by their first bytes"),
    text("feature-set", "", "Feature set: default, report or no-identity; empty: that of params"),
    text("params", "", "Parameters as TOML; empty: the defaults"),
    Parameter {
        name: "trials",
        default: Default::Trials,
        about: "What is trained: a JSON list of objects with representation and model",
        choices: &[],
    },
    text("parts", "1", "Into how many parts reading the flows is divided, for hundreds of millions of them"),
    text("shards", "1", "Into how many shards each search is divided, for searches that take hours"),
    Parameter {
        name: "deploy",
        default: Default::Text("false"),
        about: "Whether the winner is deployed and validated",
        choices: &["false", "true"],
    },
    text("minimum-accuracy", "0", "Accuracy below which the deployed predictor fails its validation"),
    text("model-name", "weir", "Name of the InferenceService, and of the model in its URLs"),
    text("storage-uri", "", "Where the predictor finds artifacts, such as s3://bucket or pvc://weir"),
    text("registry", REGISTRY, "Registry of the images"),
    Parameter { name: "tag", default: Default::Version, about: "Tag of the images", choices: &[] },
];

/// The steps, each after those it takes artifacts from.
pub const STEPS: &[Step] = &[FEATURES, TRAINING, SELECTION, PACKAGING, DEPLOY, VALIDATION];

const FEATURES: Step = Step {
    name: "features",
    image: "weir-features",
    about: "Turn labelled flows into validated and split feature tables",
    fan: Fan::Once,
    inputs: &[],
    output: Some(Output { name: "features", kind: Kind::Features }),
    arguments: &[
        Text("--data"),
        Argument::Parameter("flows"),
        Text("--format"),
        Argument::Parameter("format"),
        Text("--feature-set"),
        Argument::Parameter("feature-set"),
        Text("--params-text"),
        Argument::Parameter("params"),
        Text("--out"),
        Argument::Output,
    ],
    values: &[DIGEST],
    divided: Some(Divided {
        parameter: "parts",
        plan: &[
            Text("plan"),
            Text("--data"),
            Argument::Parameter("flows"),
            Text("--format"),
            Argument::Parameter("format"),
            Text("--feature-set"),
            Argument::Parameter("feature-set"),
            Text("--params-text"),
            Argument::Parameter("params"),
            Text("--parts"),
            Pieces,
            Text("--plan"),
            Plan,
        ],
        plan_is_file: true,
        piece: &[Text("run-part"), Text("--plan"), Plan, Text("--part"), Piece, Text("--out"), PieceOutput],
        gather: &[Text("gather"), Text("--plan"), Plan, Text("--parts"), PieceOutputs, Text("--out"), Argument::Output],
    }),
    deployment: false,
    resources: Resources { cpu_millis: 1000, memory_mib: 512, memory_limit_mib: 2048, disk_mib: 20 * 1024 },
    timeout: 6 * HOUR,
};

const TRAINING: Step = Step {
    name: "training",
    image: "weir-training",
    about: "Train one model family on one representation: a default fit and a search",
    fan: Fan::Trials,
    inputs: &[Port { name: "features", from: "features" }],
    output: Some(Output { name: "trials", kind: Kind::Trial }),
    arguments: &[
        Text("--features"),
        Input("features"),
        Text("--representation"),
        Representation,
        Text("--model"),
        Model,
        Text("--params-text"),
        Argument::Parameter("params"),
        Text("--out"),
        Argument::Output,
    ],
    values: &[DIGEST],
    divided: Some(Divided {
        parameter: "shards",
        plan: &[
            Text("plan"),
            Text("--features"),
            Input("features"),
            Text("--representation"),
            Representation,
            Text("--model"),
            Model,
            Text("--params-text"),
            Argument::Parameter("params"),
            Text("--shards"),
            Pieces,
            Text("--out"),
            Plan,
        ],
        plan_is_file: false,
        piece: &[
            Text("run-shard"),
            Text("--plan"),
            Plan,
            Text("--features"),
            Input("features"),
            Text("--shard"),
            Piece,
            Text("--out"),
            PieceOutput,
        ],
        gather: &[
            Text("gather"),
            Text("--plan"),
            Plan,
            Text("--features"),
            Input("features"),
            Text("--shards"),
            PieceOutputs,
            Text("--out"),
            Argument::Output,
        ],
    }),
    deployment: false,
    resources: Resources { cpu_millis: 1000, memory_mib: 1024, memory_limit_mib: 4096, disk_mib: 2 * 1024 },
    timeout: 24 * HOUR,
};

const SELECTION: Step = Step {
    name: "selection",
    image: "weir-selection",
    about: "Choose the best trial by its score on test",
    fan: Fan::Once,
    inputs: &[Port { name: "trials", from: "training" }],
    output: Some(Output { name: "selection", kind: Kind::Selection }),
    arguments: &[
        Text("--trials"),
        Input("trials"),
        Text("--params-text"),
        Argument::Parameter("params"),
        Text("--out"),
        Argument::Output,
    ],
    values: &[
        DIGEST,
        Value { name: "winner", about: "The trial that won" },
        Value { name: "accuracy", about: "Its accuracy on test" },
        Value { name: "verdict", about: "Whether it should be promoted" },
    ],
    divided: None,
    deployment: false,
    resources: SMALL,
    timeout: HOUR,
};

const PACKAGING: Step = Step {
    name: "packaging",
    image: "weir-packaging",
    about: "Package the winner: a bundle for predictors, and the report of the run",
    fan: Fan::Once,
    // Which of the trials wins is known only to the run, so packaging takes them all.
    inputs: &[
        Port { name: "features", from: "features" },
        Port { name: "selection", from: "selection" },
        Port { name: "trials", from: "training" },
    ],
    output: Some(Output { name: "package", kind: Kind::Package }),
    arguments: &[
        Text("--features"),
        Input("features"),
        Text("--selection"),
        Input("selection"),
        Text("--trials"),
        Input("trials"),
        Text("--params-text"),
        Argument::Parameter("params"),
        Text("--out"),
        Argument::Output,
    ],
    values: &[DIGEST, Value { name: "bundle", about: "Digest of the bundle, which a predictor shows in its metadata" }],
    divided: None,
    deployment: false,
    resources: SMALL,
    timeout: HOUR,
};

const DEPLOY: Step = Step {
    name: "deploy",
    image: "weir-cluster",
    about: "Serve the bundle, and wait until it is what is served",
    fan: Fan::Once,
    inputs: &[Port { name: "package", from: "packaging" }],
    output: None,
    arguments: &[
        Text("deploy"),
        Text("--name"),
        Argument::Parameter("model-name"),
        Text("--bundle-uri"),
        Uri { input: "package", inside: "bundle" },
        Text("--expect"),
        Argument::Value { of: "packaging", name: "bundle" },
    ],
    values: &[Value { name: "endpoint", about: "URL of the predictor inside the cluster" }],
    divided: None,
    deployment: true,
    resources: SMALL,
    timeout: HOUR,
};

const VALIDATION: Step = Step {
    name: "validation",
    image: "weir-monitor",
    about: "Send the validation flows to the deployed predictor, and hold its accuracy against a minimum",
    fan: Fan::Once,
    inputs: &[Port { name: "features", from: "features" }],
    output: Some(Output { name: "validation", kind: Kind::Validation }),
    arguments: &[
        Text("validate"),
        Text("--endpoint"),
        Argument::Value { of: "deploy", name: "endpoint" },
        Text("--model"),
        Argument::Parameter("model-name"),
        Text("--features"),
        Input("features"),
        Text("--minimum-accuracy"),
        Argument::Parameter("minimum-accuracy"),
        Text("--out"),
        OutputFile(weir_contract::files::VALIDATION_REPORT),
    ],
    values: &[Value { name: "accuracy", about: "Accuracy of the deployed predictor on flows nobody has looked at" }],
    divided: None,
    deployment: true,
    resources: SMALL,
    timeout: HOUR,
};

const DIGEST: Value = Value { name: "digest", about: "Digest of the artifact" };
const SMALL: Resources = Resources { cpu_millis: 200, memory_mib: 128, memory_limit_mib: 1024, disk_mib: 1024 };
const HOUR: u32 = 60 * 60;

const fn text(name: &'static str, default: &'static str, about: &'static str) -> Parameter {
    Parameter { name, default: Default::Text(default), about, choices: &[] }
}

//! The name of a step as people know it, from the name that Argo made of it.

use std::fmt;

/// A step of a run: `training/baseline-svc`, and which attempt it is, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) attempt: u32,
}

impl Step {
    /// Reads the full name that Argo gives a node of `run`: the run, and the tasks from the outside to the inside, with
    /// points between them. A task has `(i:item)` of a fan-out behind it, where an item of several members is
    /// `key:value,key:value`, and `(n)` of an attempt.
    pub(crate) fn of(run: &str, full: &str) -> Self {
        let inner = full.strip_prefix(run).map_or(full, |rest| rest.trim_start_matches('.'));
        let mut attempt = 1;
        let mut parts: Vec<String> = Vec::new();
        for task in tasks(inner) {
            let mut groups = task.split('(');
            // `training-in-shards` is a way to do the training.
            let task = groups.next().unwrap_or_default();
            let task = task.split_once("-in-").map_or(task, |(task, _)| task);
            // A step that can be divided is a task around one of its own name.
            if parts.last().is_none_or(|last| last != task) {
                parts.push(task.to_owned());
            }
            for group in groups {
                let group = group.trim_end_matches(')');
                match (group.parse::<u32>(), group.split_once(':')) {
                    (Ok(number), _) => attempt = number + 1,
                    (Err(_), Some((_, item))) => parts.push(item_name(item)),
                    (Err(_), None) => parts.push(group.to_owned()),
                }
            }
        }
        Self { name: parts.join("/"), attempt }
    }
}

/// Splits at the points outside brackets: items may hold some.
fn tasks(name: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    name.split(|c| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        c == '.' && depth == 0
    })
    .collect()
}

/// `representation` and `model` of a trial in the order in which artifacts are named; other values as they come.
fn item_name(item: &str) -> String {
    let members: Vec<(&str, &str)> = item.split(',').filter_map(|member| member.split_once(':')).collect();
    if members.is_empty() {
        return item.to_owned();
    }
    let get = |key: &str| members.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    match (get("representation"), get("model")) {
        (Some(representation), Some(model)) => format!("{representation}-{model}"),
        _ => members.iter().map(|(_, value)| *value).collect::<Vec<_>>().join("-"),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            1 => f.write_str(&self.name),
            attempt => write!(f, "{} (attempt {attempt})", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_the_names_that_they_have_in_a_local_run() {
        let shown = |name: &str| Step::of("weir-x7k2p", &format!("weir-x7k2p.{name}")).to_string();
        assert_eq!(shown("selection"), "selection");
        assert_eq!(shown("features.features(0)"), "features");
        assert_eq!(shown("features.features(2)"), "features (attempt 3)");
        assert_eq!(shown("features.run-part(3:3)(0)"), "features/run-part/3");
        assert_eq!(shown("training(3:model:svc,representation:baseline)"), "training/baseline-svc");
        assert_eq!(shown("training(3:model:svc,representation:baseline)(1)"), "training/baseline-svc (attempt 2)");
        let shard = "training-in-shards(0:model:svc,representation:baseline).run-shard(1:1)(0)";
        assert_eq!(shown(shard), "training/baseline-svc/run-shard/1");
        assert_eq!(shown("odd(0:a.b)"), "odd/a.b");
        assert_eq!(shown("onExit(0)"), "onExit");
    }
}

//! What steps are compared by: everything that counts, as one number.

use std::collections::HashMap;

use super::step::{Input, Plan};

/// Numbers for what is compared: equal if and only if it is.
#[derive(Default)]
pub(super) struct Table(HashMap<String, usize>);

/// What a step is compared by.
pub(super) struct Key {
    pub(super) exact: usize,
    /// If every command writes what it wrote before.
    pub(super) hopeful: usize,
}

impl Table {
    fn number(&mut self, text: String) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }

    pub(super) fn keys(&mut self, plan: &Plan) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for step in &plan.steps {
            let text = |of: &dyn Fn(usize) -> String, ground: &dyn Fn(usize, &str) -> String| {
                let parent = step.parent.map(of);
                let inputs = step.inputs.iter();
                let inputs = inputs.map(|input| input_text(input, of, ground));
                let inputs: Vec<String> = inputs.collect();
                format!("{:?} {parent:?} {inputs:?}", step.parts)
            };
            let is_nothing = step.parts.is_empty();
            let exact = text(&|at| keys[at].exact.to_string(), &|at, path| {
                format!("{} {path}", keys[at].exact)
            });
            let hopeful = text(&|at| keys[at].hopeful.to_string(), &|_, _| "?".to_owned());
            let key = match step.parent {
                // `FROM` another stage is that stage.
                Some(parent) if is_nothing => Key {
                    exact: keys[parent].exact,
                    hopeful: keys[parent].hopeful,
                },
                _ => Key {
                    exact: self.number(format!("exact {exact}")),
                    hopeful: self.number(format!("hopeful {hopeful}")),
                },
            };
            keys.push(key);
        }
        keys
    }
}

fn input_text(
    input: &Input,
    of: &dyn Fn(usize) -> String,
    ground: &dyn Fn(usize, &str) -> String,
) -> String {
    match input {
        Input::Context(content) => content.key.clone(),
        Input::Image(name) => name.clone(),
        Input::Written(written) => {
            let layers = written.layers.iter();
            let layers: Vec<String> = layers
                .map(|layer| format!("{} {:?}", layer.text, layer.step.map(of)))
                .collect();
            let grounds = written.grounds.iter();
            let grounds: Vec<String> = grounds.map(|(at, path)| ground(*at, path)).collect();
            format!("{layers:?} {grounds:?}")
        }
    }
}

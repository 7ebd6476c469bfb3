//! Words and commands of a shell line, as far as a linter needs them.
//!
//! Quotes are removed and nothing is replaced: `$X` stays `$X`. What a shell does
//! with `if`, `for` and the like is not looked into; their words are words.

/// A word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Without quotes and escapes.
    pub text: String,
    /// As it stands there.
    pub raw: String,
    /// Where it begins in the line.
    pub start: usize,
}

impl Word {
    /// Where it ends in the line.
    pub fn end(&self) -> usize {
        self.start + self.raw.len()
    }
}

/// A command with what is set for it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// `NAME=value` before it.
    pub variables: Vec<Word>,
    /// The program and its arguments; at least one.
    pub words: Vec<Word>,
}

impl Command {
    /// The program, without the folder it is in.
    pub fn program(&self) -> &str {
        let first = self.words.first().map_or("", |word| word.text.as_str());
        first.rsplit('/').next().unwrap_or(first)
    }

    /// Its arguments.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().skip(1).map(|word| word.text.as_str())
    }

    /// What the first option of one of these names is given: `--name value` or `--name=value`.
    pub(crate) fn option(&self, names: &[&str]) -> Option<&str> {
        let words: Vec<&str> = self.arguments().collect();
        words.iter().enumerate().find_map(|(at, word)| {
            names
                .iter()
                .find_map(|name| match word.strip_prefix(name)? {
                    "" => words.get(at + 1).copied(),
                    rest => rest.strip_prefix('='),
                })
        })
    }

    /// Where it begins and ends in the line.
    pub fn range(&self) -> (usize, usize) {
        let start = self.variables.first().or(self.words.first());
        let end = self.words.last();
        (start.map_or(0, |word| word.start), end.map_or(0, Word::end))
    }
}

/// The words of a line, whatever stands between them.
pub(crate) fn words(line: &str) -> Vec<Word> {
    let tokens = tokens(line, Operators::AreWords).into_iter();
    tokens
        .filter_map(|token| match token {
            Token::Word(word) => Some(word),
            Token::Operator => None,
        })
        .collect()
}

/// The commands of a line, in order: what `&&`, `||`, `;`, `|`, `&`, parentheses and ends of lines part.
pub fn commands(line: &str) -> Vec<Command> {
    let mut all = Vec::new();
    let mut current = Vec::new();
    for token in tokens(line, Operators::Part)
        .into_iter()
        .chain([Token::Operator])
    {
        match token {
            Token::Word(word) => current.push(word),
            Token::Operator => all.extend(command(std::mem::take(&mut current))),
        }
    }
    all
}

fn command(words: Vec<Word>) -> Option<Command> {
    let is_variable = |word: &Word| {
        let name = word.text.split_once('=').map(|(name, _)| name);
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with(|c: char| c.is_ascii_digit())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        name.is_some_and(is_name) && !word.raw.starts_with(['"', '\''])
    };
    let first = words.iter().position(|word| !is_variable(word))?;
    let mut variables = words;
    let words = variables.split_off(first);
    Some(Command { variables, words })
}

enum Token {
    Word(Word),
    Operator,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operators {
    AreWords,
    Part,
}

fn tokens(line: &str, operators: Operators) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let is_operator = operators == Operators::Part && is_operator(c);
        if is_operator || (c == '\n' && operators == Operators::Part) {
            tokens.push(Token::Operator);
            at += c.len_utf8();
        } else if c.is_whitespace() {
            at += c.len_utf8();
        } else if c == '#' && operators == Operators::Part {
            // The rest of the line is a comment.
            at += line[at..].find('\n').unwrap_or(line.len() - at);
        } else {
            let word = word(line, at, operators);
            at = word.end();
            tokens.push(Token::Word(word));
        }
    }
    tokens
}

fn is_operator(c: char) -> bool {
    matches!(c, '&' | '|' | ';' | '(' | ')')
}

fn word(line: &str, start: usize, operators: Operators) -> Word {
    let (mut text, mut quote, mut escaped) = (String::new(), None, false);
    let mut end = line.len();
    for (at, c) in line[start..].char_indices() {
        if escaped {
            if quote == Some('"') && !matches!(c, '"' | '\\' | '$' | '`') {
                text.push('\\');
            }
            text.push(c);
            escaped = false;
            continue;
        }
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None | Some('"'), '\\') => escaped = true,
            (None, _) if c.is_whitespace() || (operators == Operators::Part && is_operator(c)) => {
                end = start + at;
                break;
            }
            _ => text.push(c),
        }
    }
    Word {
        text,
        raw: line[start..end].to_owned(),
        start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<String> {
        let commands = commands(line).into_iter();
        commands
            .map(|command| {
                let words = command.variables.iter().chain(&command.words);
                let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
                words.join("·")
            })
            .collect()
    }

    #[test]
    fn commands_are_parted_and_quotes_removed() {
        assert_eq!(
            told("A=1 pip install 'a b'  \"c\\\"d\" && (rm -rf x; cd /y) || true # no\nls|wc -l &"),
            [
                "A=1·pip·install·a b·c\"d",
                "rm·-rf·x",
                "cd·/y",
                "true",
                "ls",
                "wc·-l"
            ]
        );
        assert_eq!(told("echo \"a && b\" a\\ b"), ["echo·a && b·a b"]);
        assert_eq!(told("X=1"), [""; 0]);
        assert_eq!(told("'A=1' x"), ["A=1·x"]);
    }

    proptest::proptest! {
        #[test]
        fn words_stand_where_they_say(line in "[ -~\n\tä]{0,60}") {
            for word in words(&line) {
                proptest::prop_assert_eq!(&line[word.start..word.end()], word.raw.as_str());
            }
            for command in commands(&line) {
                let (start, end) = command.range();
                proptest::prop_assert!(start < end && end <= line.len());
            }
        }
    }
}

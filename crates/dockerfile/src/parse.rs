//! The grammar of Dockerfiles, as BuildKit's `parser` reads it.
//!
//! A file is a row of pieces without gaps: directives, comments, blank lines and
//! instructions. An instruction is joined from its lines (continuations, comments
//! between them) into one logical line, of which every byte knows where it came from.

mod heredoc;
mod keyword;
mod line;

use serde_json::Value;

use crate::Span;
use line::Logical;

pub use keyword::Keyword;

/// A Dockerfile, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    text: String,
    /// The whole text, piece by piece.
    pub pieces: Vec<Piece>,
    /// What stands at the end of a line that goes on: `\`, or a backtick.
    pub escape: char,
}

/// A part of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// `# syntax=…`, before anything else.
    Directive(Directive),
    /// A line that begins with `#`.
    Comment(Span),
    /// A line with nothing on it.
    Blank(Span),
    /// What is done.
    Instruction(Instruction),
}

/// `# name=value`, before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The whole line.
    pub span: Span,
    /// `syntax`, `escape` or `check`.
    pub name: String,
    /// What is said.
    pub value: String,
}

/// One instruction with all its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// From its first to its last byte, the end of the last line included.
    pub span: Span,
    /// What to do.
    pub keyword: Keyword,
    /// Where the keyword stands.
    pub keyword_span: Span,
    /// `--name=value`, in order.
    pub flags: Vec<Flag>,
    /// All of it, joined to one line: keyword, flags, and the blanks after them, but not before.
    pub line: String,
    /// What follows the flags, joined to one line, without the blanks around it.
    pub text: String,
    /// Where each byte of `text` stands, and the end of the last one.
    places: Vec<usize>,
    /// The same as BuildKit takes it apart.
    pub arguments: Arguments,
    /// What follows the line for `<<NAME`.
    pub heredocs: Vec<Heredoc>,
    /// Of `ONBUILD`: what is done later.
    pub later: Option<Box<Instruction>>,
}

/// `--name=value`, or `--name` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes.
    pub name: String,
    /// What follows `=`.
    pub value: Option<String>,
    /// All of it.
    pub span: Span,
}

/// What follows keyword and flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arguments {
    /// A JSON array of texts: the exec form.
    Json(Vec<String>),
    /// Whatever else: the shell form.
    Text,
}

/// A document within the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// By what it is opened and closed.
    pub name: String,
    /// `<<-`: tabs at the beginning of its lines do not count.
    pub strips_tabs: bool,
    /// Whether variables in it are replaced: the name is not quoted.
    pub expands: bool,
    /// Its lines, without the one that closes it.
    pub body: Span,
}

/// Why a text is no Dockerfile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Invalid {
    /// In BuildKit's words where it has any.
    pub what: String,
    /// What of the text it is about.
    pub span: Span,
}

/// The directives that mean something.
const DIRECTIVES: [&str; 3] = ["syntax", "escape", "check"];

impl Dockerfile {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mut reader = Reader {
            text,
            at: 0,
            escape: '\\',
            pieces: Vec::new(),
        };
        reader.directives()?;
        while reader.at < text.len() {
            let piece = reader.piece()?;
            reader.pieces.push(piece);
        }
        Ok(Self {
            escape: reader.escape,
            pieces: reader.pieces,
            text: text.to_owned(),
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is done, in order.
    pub fn instructions(&self) -> impl Iterator<Item = &Instruction> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Instruction(instruction) => Some(instruction),
            Piece::Directive(_) | Piece::Comment(_) | Piece::Blank(_) => None,
        })
    }

    /// What a directive says.
    pub fn directive(&self, name: &str) -> Option<&str> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Directive(directive) if directive.name == name => Some(directive.value.as_str()),
            _ => None,
        })
    }
}

impl Piece {
    /// What of the text it is.
    pub fn span(&self) -> Span {
        match self {
            Self::Directive(directive) => directive.span,
            Self::Comment(span) | Self::Blank(span) => *span,
            Self::Instruction(instruction) => instruction.span,
        }
    }
}

impl Instruction {
    /// Where a piece of [`text`](Self::text) stands in the file.
    pub fn place(&self, start: usize, end: usize) -> Span {
        let last = self.places.len().saturating_sub(1);
        let start = self.places[start.min(last)];
        let end = match end.min(last) {
            0 => start,
            // The byte after the one before: what comes next may be on another line.
            end => self.places[end - 1] + 1,
        };
        Span::new(start, end.max(start))
    }

    /// Whether `<<NAME` in it opens a document.
    fn takes_heredocs(&self) -> bool {
        let inner = self.later.as_deref().unwrap_or(self);
        let may = matches!(inner.keyword, Keyword::Add | Keyword::Copy | Keyword::Run);
        may && inner.arguments == Arguments::Text
    }

    /// A flag by its name.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let mut flags = self.flags.iter();
        flags.find(|flag| flag.name == name)?.value.as_deref()
    }

    /// The words of its text, quotes removed; of the exec form its members.
    pub fn words(&self) -> Vec<String> {
        match &self.arguments {
            Arguments::Json(words) => words.clone(),
            Arguments::Text => crate::shell::words(&self.text)
                .into_iter()
                .map(|word| word.text)
                .collect(),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    escape: char,
    pieces: Vec<Piece>,
}

impl Reader<'_> {
    fn directives(&mut self) -> Result<(), Invalid> {
        if self.text.starts_with('\u{feff}') {
            // BuildKit drops it; we keep it as a piece of its own.
            self.pieces.push(Piece::Blank(Span::new(0, 3)));
            self.at = 3;
        }
        while let Some(directive) = self.directive() {
            let seen = self.pieces.iter().any(
                |piece| matches!(piece, Piece::Directive(other) if other.name == directive.name),
            );
            if seen {
                return Err(Invalid {
                    what: format!("only one {} parser directive can be used", directive.name),
                    span: directive.span,
                });
            }
            if directive.name == "escape" {
                self.escape = match directive.value.as_str() {
                    "\\" => '\\',
                    "`" => '`',
                    other => {
                        return Err(Invalid {
                            what: format!("invalid escape token '{other}' does not match ` or \\"),
                            span: directive.span,
                        });
                    }
                };
            }
            self.at = directive.span.end;
            self.pieces.push(Piece::Directive(directive));
        }
        Ok(())
    }

    fn directive(&self) -> Option<Directive> {
        let line = line::at(self.text, self.at)?;
        let inner = line.of(self.text).trim().strip_prefix('#')?;
        let (name, value) = inner.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        DIRECTIVES.contains(&name.as_str()).then(|| Directive {
            span: line,
            value: value.trim().to_owned(),
            name,
        })
    }

    fn piece(&mut self) -> Result<Piece, Invalid> {
        let line = line::at(self.text, self.at).unwrap_or(Span::new(self.at, self.text.len()));
        let content = line.of(self.text).trim();
        if content.is_empty() {
            self.at = line.end;
            return Ok(Piece::Blank(line));
        }
        if content.starts_with('#') {
            self.at = line.end;
            return Ok(Piece::Comment(line));
        }
        let logical = Logical::read(self.text, self.at, self.escape);
        let start = self.at;
        self.at = logical.end;
        let mut instruction = instruction(&logical, Span::new(start, logical.end))?;
        if instruction.takes_heredocs() {
            let (heredocs, end) = heredoc::read(self.text, &instruction, self.at)?;
            instruction.heredocs = heredocs;
            self.at = end;
            instruction.span.end = end;
        }
        Ok(Piece::Instruction(instruction))
    }
}

/// Takes one logical line apart.
fn instruction(line: &Logical, span: Span) -> Result<Instruction, Invalid> {
    let (word, mut rest) = line.split_word(0);
    let keyword_span = line.span(word.start, word.end);
    let text = &line.text[word.start..word.end];
    let keyword = Keyword::of(text).ok_or_else(|| Invalid {
        what: format!("unknown instruction: {text}"),
        span: keyword_span,
    })?;
    let mut flags = Vec::new();
    while line.text[rest..].starts_with("--") {
        let (flag, next) = line.split_flag(rest);
        let text = &line.text[flag.start..flag.end];
        if text == "--" {
            rest = next;
            break;
        }
        let (name, value) = match text[2..].split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&text[2..], None),
        };
        flags.push(Flag {
            name: name.to_owned(),
            value: value.map(|value| value.replace(['"', '\''], "")),
            span: line.span(flag.start, flag.end),
        });
        rest = next;
    }
    let end = line.text.trim_end().len().max(rest);
    let text = line.text[rest..end].to_owned();
    let places = line.places[rest..=end].to_vec();
    // An engine looks at it when it is done: what it does not know may be known by then.
    let verb = text.split_whitespace().next().unwrap_or_default();
    let is_known = Keyword::of(verb).is_some();
    let later = (keyword == Keyword::Onbuild && is_known).then(|| {
        let inner = Logical {
            text: text.clone(),
            places: places.clone(),
            end: line.end,
        };
        instruction(&inner, span).map(Box::new)
    });
    Ok(Instruction {
        span,
        keyword,
        keyword_span,
        flags,
        line: line.text.clone(),
        arguments: arguments(keyword, &text).ok_or_else(|| Invalid {
            what: "when using JSON array syntax, arrays must be comprised of strings only"
                .to_owned(),
            span: line.span(rest, end),
        })?,
        text,
        places,
        heredocs: Vec::new(),
        later: later.transpose()?,
    })
}

/// `None`: an array, but not of texts.
fn arguments(keyword: Keyword, text: &str) -> Option<Arguments> {
    let text = match (keyword, text.split_once(char::is_whitespace)) {
        (Keyword::Healthcheck, Some((word, rest))) if word.eq_ignore_ascii_case("cmd") => {
            rest.trim_start()
        }
        _ if keyword.takes_json() => text,
        _ => return Some(Arguments::Text),
    };
    if !text.starts_with('[') {
        return Some(Arguments::Text);
    }
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(members) => {
            let texts = members
                .iter()
                .map(|member| member.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Arguments::Json)
        }
        // BuildKit takes what is no JSON for the shell form.
        Err(_) => Some(Arguments::Text),
    }
}

#[cfg(test)]
mod tests;

//! Corners of the grammar, read by BuildKit and by us: both take them, or both refuse them at
//! the same line and with the same words.
//!
//! Nothing is built: a stage is asked for that no file has, and BuildKit says so once it
//! has read the whole file.

use std::fs;

use dockerfile::{Dockerfile, Position};
use tempfile::TempDir;
use testkit::{Builder, Engine};

/// What BuildKit says of a file that it has read.
const READ: &str = "target stage nowhere could not be found";

const CORNERS: &[&str] = &[
    // Lines, comments, continuations.
    "FROM base\n",
    "FROM base",
    "\n\n  \nFROM base\n",
    "from base\nrun a\n",
    "FrOm base\nrUn a\n",
    "  FROM base\n\tRUN a\n",
    "FROM base\r\nRUN a \\\r\n  b\r\n",
    "\u{feff}FROM base\nRUN a\n",
    "# comment\nFROM base\n  # comment\nRUN a\n",
    "FROM base\nRUN a \\\n# comment\n  b\n",
    "FROM base\nRUN a \\\n\n  b\n",
    "FROM base\nRUN a \\\n\n\nENV A=1\n",
    "FROM base\nRUN a \\",
    "FROM base\nRUN a \\\n",
    "FROM base\nRUN a \\  \n  b\n",
    "FROM base\nRUN a \\\\\n",
    "FROM base\nRUN \\\n  a\n",
    "FROM base\nRUN \\\n# only this\n",
    "FROM base\nRUN a # no comment\n",
    "FR\\\nOM base\n",
    "FROM base\nEN\\\nV A=1\n",
    "",
    "\n",
    "# only a comment\n",
    "# escape=`\nFROM base\nRUN a `\n  b\n",
    "# escape=`\nFROM base\nRUN a \\\n",
    "#escape = \\\nFROM base\n",
    "# escape=x\nFROM base\n",
    "# escape=\\\n# escape=`\nFROM base\n",
    "# escape=`\n\n# escape=\\\nFROM base\nRUN a `\n b\n",
    "# comment\n# escape=`\nFROM base\nRUN a \\\n b\n",
    "# unknown=x\nFROM base\n",
    "# unknown=x\n# escape=`\nFROM base\nRUN a `\n b\n",
    // Instructions that are none, or lack something.
    "RUM a\n",
    "FROM base\nRUM a\n",
    "FROM base\nRUNa\n",
    "FROM base\nRUN\n",
    "FROM base\nRUN \n",
    "FROM base\nCMD\n",
    "FROM base\nENTRYPOINT\n",
    "FROM base\nENV\n",
    "FROM base\nENV A\n",
    "FROM base\nENV A b c\n",
    "FROM base\nENV A=1 B\n",
    "FROM base\nENV A=1 B=2\n",
    "FROM base\nENV =1\n",
    "FROM base\nENV A=\"b c\" D='e f' G=h\\ i\n",
    "FROM base\nENV A=\"b c\n",
    "FROM base\nENV A=1 \\\n  B=2\n",
    "FROM base\nLABEL\n",
    "FROM base\nLABEL a\n",
    "FROM base\nLABEL a b\n",
    "FROM base\nLABEL \"a b\"=\"c d\"\n",
    "FROM base\nLABEL =b\n",
    "FROM base\nARG\n",
    "FROM base\nARG A\n",
    "FROM base\nARG A=1\n",
    "FROM base\nARG =1\n",
    "FROM base\nWORKDIR\n",
    "FROM base\nWORKDIR a b\n",
    "FROM base\nUSER\n",
    "FROM base\nUSER a b\n",
    "FROM base\nEXPOSE\n",
    "FROM base\nEXPOSE 80 90\n",
    "FROM base\nVOLUME\n",
    "FROM base\nVOLUME [\"a\", \"b\"]\n",
    "FROM base\nVOLUME [\"\"]\n",
    "FROM base\nVOLUME a b\n",
    "FROM base\nSTOPSIGNAL\n",
    "FROM base\nSTOPSIGNAL A B\n",
    "FROM base\nMAINTAINER\n",
    "FROM base\nMAINTAINER a b\n",
    "FROM base\nSHELL\n",
    "FROM base\nSHELL sh -c\n",
    "FROM base\nSHELL [\"sh\", \"-c\"]\n",
    "FROM base\nSHELL []\n",
    "FROM base\nCOPY\n",
    "FROM base\nCOPY a\n",
    "FROM base\nCOPY a b\n",
    "FROM base\nCOPY a b c\n",
    "FROM base\nCOPY [\"a\"]\n",
    "FROM base\nCOPY [\"a\", \"b\"]\n",
    "FROM base\nCOPY [a, b]\n",
    "FROM base\nADD a\n",
    "FROM base\nADD a b\n",
    // JSON, or what looks like it.
    "FROM base\nRUN [\"a\", \"b\"]\n",
    "FROM base\nRUN [\"a\", 1]\n",
    "FROM base\nRUN [\"a\"\n",
    "FROM base\nRUN [\"a\",]\n",
    "FROM base\nRUN ['a']\n",
    "FROM base\nCMD []\n",
    "FROM base\nCMD [\"a\", [\"b\"]]\n",
    "FROM base\nCMD [ \"a\" , \\\n \"b\" ]\n",
    "FROM base\nENTRYPOINT [\"\\u0061\", \"\\\\\"]\n",
    // Flags.
    "FROM base\nCOPY --from=base a b\n",
    "FROM base\nCOPY --chown=1:1 a b\n",
    "FROM base\nCOPY --chown=1 --chown=2 a b\n",
    "FROM base\nCOPY --unknown a b\n",
    "FROM base\nCOPY --unknown=1 a b\n",
    "FROM base\nCOPY --from a b\n",
    "FROM base\nCOPY -- a b\n",
    "FROM base\nCOPY --\n",
    "FROM base\nCOPY a --from=b c\n",
    "FROM base\nRUN --mount=type=cache,target=/c a\n",
    "FROM base\nRUN --mount=type=cache,target=/c --mount=target=/d a\n",
    "FROM base\nRUN --mount=type=cache a\n",
    "FROM base\nRUN --mount=type=unknown,target=/c a\n",
    "FROM base\nRUN --mount=type=cache,target=/c,unknown=1 a\n",
    "FROM base\nRUN --mount=type=cache,target=/c,sharing=maybe a\n",
    "FROM base\nRUN --mount=type=cache,target=/c,uid=x a\n",
    "FROM base\nRUN --mount=type=secret a\n",
    "FROM base\nRUN --mount=type=secret,id=a a\n",
    "FROM base\nRUN --mount=type=bind,target=/c,rw a\n",
    "FROM base\nRUN --mount=type=bind,target=/c,rw=maybe a\n",
    "FROM base\nRUN --mount=type=tmpfs,target=/c,from=a a\n",
    "FROM base\nRUN --mount a\n",
    "FROM base\nRUN --mount= a\n",
    "FROM base\nRUN --unknown a\n",
    "FROM base\nENV --a A=1\n",
    "FROM base\nWORKDIR --a /x\n",
    "FROM --platform=linux/amd64 base\n",
    "FROM --platform=$BUILDPLATFORM base\n",
    "FROM --unknown=x base\n",
    // Stages.
    "FROM\n",
    "FROM base AS a\n",
    "FROM base as A\n",
    "FROM base A\n",
    "FROM base IN a\n",
    "FROM base AS\n",
    "FROM base AS a b\n",
    "FROM base AS 1\n",
    "FROM base AS a/b\n",
    "FROM base AS -a\n",
    "FROM base AS a\nFROM a AS b\nFROM 0\n",
    "FROM base AS a\nFROM base AS a\n",
    "ARG A=base\nFROM $A\n",
    "ARG A=base\nFROM ${A:-b}\n",
    "ARG A\nRUN a\nFROM base\n",
    "ENV A=1\nFROM base\n",
    "FROM scratch\n",
    // ONBUILD and HEALTHCHECK.
    "FROM base\nONBUILD\n",
    "FROM base\nONBUILD RUN a\n",
    "FROM base\nONBUILD ONBUILD RUN a\n",
    "FROM base\nONBUILD FROM a\n",
    "FROM base\nONBUILD MAINTAINER a\n",
    "FROM base\nONBUILD RUM a\n",
    "FROM base\nONBUILD COPY a\n",
    "FROM base\nHEALTHCHECK\n",
    "FROM base\nHEALTHCHECK NONE\n",
    "FROM base\nHEALTHCHECK NONE a\n",
    "FROM base\nHEALTHCHECK CMD a\n",
    "FROM base\nHEALTHCHECK CMD\n",
    "FROM base\nHEALTHCHECK a\n",
    "FROM base\nHEALTHCHECK --interval=5s CMD a\n",
    "FROM base\nHEALTHCHECK --interval=5x CMD a\n",
    "FROM base\nHEALTHCHECK --interval=0.1ms CMD a\n",
    "FROM base\nHEALTHCHECK --retries=x CMD a\n",
    "FROM base\nHEALTHCHECK --interval=5s NONE\n",
    "FROM base\nHEALTHCHECK --unknown=5s CMD a\n",
];

/// What BuildKit has learnt after 0.8: it refuses these, and we do not.
const LATER: &[&str] = &[
    "FROM base\nCOPY --link a b\n",
    "FROM base\nCOPY --parents a b\n",
    "FROM base\nCOPY --exclude=x a b\n",
    "FROM base\nADD --checksum=sha256:0 https://a.example/b c\n",
    "FROM base\nADD --keep-git-dir=true https://a.example/b.git c\n",
    "FROM base\nADD --unpack a b\n",
    "FROM base\nRUN --device=a b\n",
    "FROM base\nRUN --network=none a\n",
    "FROM base\nHEALTHCHECK --start-interval=1s CMD a\n",
];

/// What our reading says: nothing, or the line and what is wrong there.
fn ours(text: &str) -> Option<(usize, String)> {
    let read = Dockerfile::parse(text).and_then(|file| file.check());
    let wrong = read.err()?;
    Some((Position::of(text, wrong.span.start).line, wrong.to_string()))
}

/// What BuildKit says: nothing, or its last line.
fn theirs(engine: &Engine, text: &str) -> Option<String> {
    let root = TempDir::with_prefix("pilothouse-grammar-").unwrap();
    fs::write(root.path().join("Dockerfile"), text).unwrap();
    let built = engine.build(Builder::BuildKit, root.path(), &["--target", "nowhere"]);
    let last = built.output.trim_end().lines().last().unwrap_or_default();
    (!built.output.contains(READ)).then(|| last.to_owned())
}

/// BuildKit names flags and instructions otherwise since 0.8.
fn in_words_of_today(said: &str) -> String {
    said.to_lowercase()
        .replace("unknown flag: ", "unknown flag: --")
        .replace("missing a value on flag: ", "missing a value on flag: --")
}

#[test]
fn corners_of_the_grammar_are_read_as_buildkit_reads_them() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let mut wrong = Vec::new();
    for text in CORNERS {
        let (ours, theirs) = (ours(text), theirs(&engine, text));
        let agree = match (&ours, &theirs) {
            (None, None) => true,
            (Some((line, what)), Some(said)) => {
                let has_line = said.contains("parse error line");
                let said = in_words_of_today(said);
                said.contains(&what.to_lowercase())
                    && (!has_line || said.contains(&format!("parse error line {line}:")))
            }
            _ => false,
        };
        if !agree {
            wrong.push(format!(
                "{text:?}\n  we:       {ours:?}\n  BuildKit: {theirs:?}"
            ));
        }
    }
    for text in LATER {
        let (ours, theirs) = (ours(text), theirs(&engine, text));
        if ours.is_some() || theirs.is_none() {
            wrong.push(format!(
                "later: {text:?}\n  we:       {ours:?}\n  BuildKit: {theirs:?}"
            ));
        }
    }
    let count = CORNERS.len() + LATER.len();
    assert!(
        wrong.is_empty(),
        "{} of {count} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

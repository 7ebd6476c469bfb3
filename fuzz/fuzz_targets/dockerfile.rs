//! A Dockerfile from any text: its pieces are all of it, and the rules look at it without stumbling.

#![no_main]

use dockerfile::{Dockerfile, Ignore, lint, stages};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let ignore = Ignore::parse(text);
    if let Ok(ignore) = &ignore {
        ignore.leaves_out("a/b.py");
    }
    let Ok(file) = Dockerfile::parse(text) else {
        return;
    };
    let pieces = file.pieces.iter().map(|piece| piece.span().of(text));
    assert_eq!(pieces.collect::<String>(), text);
    for instruction in file.instructions() {
        assert!(
            instruction
                .keyword_span
                .of(text)
                .eq_ignore_ascii_case(instruction.keyword.as_str())
        );
        for (at, c) in instruction.text.char_indices() {
            let end = at + c.len_utf8();
            assert_eq!(instruction.place(at, end).of(text), &instruction.text[at..end]);
        }
    }
    let _ = file.check();
    stages(&file);
    let around = lint::Surroundings {
        ignore: Some(text),
        ..lint::Surroundings::default()
    };
    for finding in lint::lint(&file, &around).findings {
        finding.span.of(text);
    }
});

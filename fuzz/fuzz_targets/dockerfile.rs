//! A Dockerfile from any text: its pieces are all of it, and the rules look at it without stumbling.

#![no_main]

use dockerfile::{Dockerfile, Ignore, fix, lint, stages};
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
        // A word may go on on the next line.
        let keyword = instruction.keyword_span.of(text);
        let is_whole = keyword.eq_ignore_ascii_case(instruction.keyword.as_str());
        assert!(is_whole || keyword.contains('\n'), "{keyword:?}");
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
    // What was mended can be read, and is not mended again.
    for extent in [fix::Extent::Safe, fix::Extent::All] {
        let fixed = fix::fix(text, &around, extent).expect("it was read before");
        let around = lint::Surroundings {
            ignore: fixed.ignore.as_deref(),
            ..around
        };
        let again = fix::fix(&fixed.dockerfile, &around, extent);
        let again = again.expect("what was mended can be read");
        assert!(again.done.is_empty(), "{again:?}");
    }
});

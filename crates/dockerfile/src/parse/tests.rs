//! The grammar, corner by corner, and that a file is all of its pieces.

use super::*;
use crate::{Position, stages};

fn parsed(text: &str) -> Dockerfile {
    Dockerfile::parse(text).unwrap()
}

fn told(text: &str) -> Vec<String> {
    let file = parsed(text);
    let instructions = file.instructions();
    instructions
        .map(|one| {
            let flags = one.flags.iter().map(|flag| flag.span.of(text));
            let words = [one.keyword.as_str()].into_iter().chain(flags);
            let mut line = words.collect::<Vec<_>>().join(" ");
            line = format!("{line} | {}", one.text);
            for heredoc in &one.heredocs {
                let body = heredoc.body.of(text);
                line = format!("{line} | {}: {body:?}", heredoc.name);
            }
            line
        })
        .collect()
}

#[test]
fn continuations_comments_and_blank_lines_are_joined_as_buildkit_joins_them() {
    let text = "from a\n  RUN one \\\n# not this\n\n    two \\  \n  \t# nor this\n&& three\nCMD x \\\\\nEXPOSE 1";
    assert_eq!(
        told(text),
        [
            "FROM | a",
            "RUN | one     two && three",
            "CMD | x \\\\",
            "EXPOSE | 1"
        ]
    );
}

#[test]
fn directives_come_first_and_once() {
    let file = parsed("# syntax = docker/dockerfile:1\n#escape=`\nFROM a\nRUN dir `\n  C:\\\n");
    assert_eq!(file.directive("syntax"), Some("docker/dockerfile:1"));
    assert_eq!(file.escape, '`');
    assert_eq!(file.instructions().nth(1).unwrap().text, "dir   C:\\");
    let comment = parsed("# hello\n# escape=`\nFROM a\n");
    assert_eq!(comment.escape, '\\');
    let twice = Dockerfile::parse("# escape=`\n# escape=`\n").unwrap_err();
    assert_eq!(
        twice.to_string(),
        "only one escape parser directive can be used"
    );
    let wrong = Dockerfile::parse("# escape=x\n").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "invalid escape token 'x' does not match ` or \\"
    );
}

#[test]
fn flags_stand_before_what_is_done() {
    let text = "COPY --from=build --chown=a:b --link a b /c\nRUN --mount=type=cache,target=\"/a b\",id=x --network=none -- pip --version\nENV --x=1";
    assert_eq!(
        told(text),
        [
            "COPY --from=build --chown=a:b --link | a b /c",
            "RUN --mount=type=cache,target=\"/a b\",id=x --network=none | pip --version",
            "ENV --x=1 | ",
        ]
    );
    let file = parsed(text);
    let copy = file.instructions().next().unwrap();
    assert_eq!(copy.flag("from"), Some("build"));
    assert_eq!(copy.flag("link"), None);
}

#[test]
fn documents_belong_to_the_instruction_that_opens_them() {
    let text = "RUN <<EOF\npip install a\nEOF\nCOPY <<-'A' <<B /x/\n\tone $X\n\tA\ntwo\nB\nRUN cat <<< x\nUSER a\n";
    assert_eq!(
        told(text),
        [
            "RUN | <<EOF | EOF: \"pip install a\\n\"",
            "COPY | <<-'A' <<B /x/ | A: \"\\tone $X\\n\" | B: \"two\\n\"",
            "RUN | cat <<< x",
            "USER | a",
        ]
    );
    let copy = parsed(text).instructions().nth(1).unwrap().clone();
    assert!(!copy.heredocs[0].expands && copy.heredocs[0].strips_tabs);
    let open = Dockerfile::parse("RUN <<EOF\nx\n").unwrap_err();
    assert_eq!(
        open.to_string(),
        "unterminated heredoc: no line `EOF` closes it"
    );
}

#[test]
fn the_exec_form_is_json_and_what_is_none_is_shell() {
    let file =
        parsed("CMD [\"a\", \"b c\"]\nRUN [ -f x ] && y\nENTRYPOINT ['a']\nHEALTHCHECK CMD x\n");
    let arguments: Vec<_> = file
        .instructions()
        .map(|one| one.arguments.clone())
        .collect();
    assert_eq!(
        arguments[0],
        Arguments::Json(vec!["a".to_owned(), "b c".to_owned()])
    );
    assert_eq!(
        arguments[1..],
        [Arguments::Text, Arguments::Text, Arguments::Text]
    );
}

#[test]
fn an_array_of_other_things_than_texts_is_refused() {
    for text in ["RUN [1]", "COPY [\"a\", null]", "HEALTHCHECK CMD [[]]"] {
        let error = Dockerfile::parse(text).unwrap_err();
        assert!(error.to_string().contains("strings only"), "{text}");
        assert!(error.span.of(text).contains('['), "{text}");
    }
    let file = parsed("HEALTHCHECK --retries=3 CMD [\"a\", \"b\"]\n");
    let check = file.instructions().next().unwrap();
    assert_eq!(check.words(), ["a", "b"]);
}

#[test]
fn documents_are_opened_only_where_a_shell_or_a_file_takes_them() {
    let text = "ONBUILD RUN <<\\E\n$X\nE\nONBUILD CMD cat <<E\nUSER <<E\nRUN [\"<<E\"]\nCMD x\n";
    assert_eq!(
        told(text),
        [
            "ONBUILD | RUN <<\\E | E: \"$X\\n\"",
            "ONBUILD | CMD cat <<E",
            "USER | <<E",
            "RUN | [\"<<E\"]",
            "CMD | x",
        ]
    );
    assert!(!parsed(text).instructions().next().unwrap().heredocs[0].expands);
}

#[test]
fn what_is_done_later_is_an_instruction_too() {
    let file = parsed("ONBUILD COPY --chown=a . /b\n");
    let later = file.instructions().next().unwrap().later.clone().unwrap();
    assert_eq!(
        (later.keyword, later.text.as_str()),
        (Keyword::Copy, ". /b")
    );
    assert_eq!(later.flag("chown"), Some("a"));
}

#[test]
fn an_unknown_word_is_told_where_it_stands() {
    let text = "FROM a\n  ROM b\n";
    let error = Dockerfile::parse(text).unwrap_err();
    assert_eq!(error.to_string(), "unknown instruction: ROM");
    assert_eq!(error.span.of(text), "ROM");
    let position = Position::of(text, error.span.start);
    assert_eq!((position.line, position.column), (2, 3));
}

#[test]
fn stages_know_what_they_build_on() {
    let file = parsed("ARG V=1\nFROM a:$V AS Build\nRUN x\nFROM build\nFROM scratch\n");
    let stages = stages(&file);
    let bases: Vec<_> = stages.iter().map(|stage| stage.base.clone()).collect();
    let image = crate::Base::Image("a:$V".to_owned());
    assert_eq!(bases, [image, crate::Base::Stage(0), crate::Base::Scratch]);
    assert_eq!(stages[0].instructions.len(), 1);
}

proptest::proptest! {
    /// Whatever a file holds, its pieces are all of it, in order, and each token is where it says.
    #[test]
    fn the_pieces_of_a_file_are_the_file(
        lines in proptest::collection::vec(
            "(# syntax=a|# escape=`|#c| |FROM a( AS b)?|RUN (--mount=type=cache )?a \\\\|  b ä&& c\\\\?|RUN <<E|E|COPY a \\\\ |ENV A=1|CMD \\[\"x\"\\]|ONBUILD RUN x|\\xEF)(\r)?",
            0..12,
        ),
        ends in proptest::bool::ANY,
    ) {
        let text = lines.join("\n") + if ends { "\n" } else { "" };
        let Ok(file) = Dockerfile::parse(&text) else {
            return Ok(());
        };
        let pieces: String = file.pieces.iter().map(|piece| piece.span().of(&text)).collect();
        proptest::prop_assert_eq!(&pieces, &text);
        for one in file.instructions() {
            proptest::prop_assert!(one.keyword_span.of(&text).eq_ignore_ascii_case(one.keyword.as_str()));
            for flag in &one.flags {
                let begins = flag.span.of(&text).starts_with("--");
                proptest::prop_assert!(begins);
            }
            for (at, c) in one.text.char_indices() {
                let place = one.place(at, at + c.len_utf8());
                proptest::prop_assert_eq!(place.of(&text), &one.text[at..at + c.len_utf8()]);
            }
        }
    }
}

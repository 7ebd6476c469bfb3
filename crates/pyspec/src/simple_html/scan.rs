//! The tokens of a page, reduced to those that matter.

use std::borrow::Cow;
use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Emitter, ForwardingEmitter, Span, Tokenizer};

use crate::error::Error;

/// Something that a reader of pages wants to know.
pub(super) enum Event<'a> {
    /// `<a …>`.
    Link(&'a Tag),
    /// Text inside a link.
    LinkText(&'a str),
    /// `</a>`, or the next link where that is missing.
    LinkEnd,
    /// `<base …>`.
    Base(&'a Tag),
    /// `<meta …>`.
    Meta(&'a Tag),
    /// `<!--…-->`.
    Comment(&'a str),
}

/// An attribute that is looked at.
#[derive(Clone, Copy)]
pub(super) enum Attribute {
    Href,
    RequiresPython,
    Yanked,
    CoreMetadata,
    DistInfoMetadata,
    GpgSig,
    Provenance,
    UploadTime,
    UploadTimeSource,
    Size,
    Name,
    Content,
}

const ATTRIBUTES: usize = Attribute::Content as usize + 1;

impl Attribute {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"href" => Self::Href,
            b"data-requires-python" => Self::RequiresPython,
            b"data-yanked" => Self::Yanked,
            b"data-core-metadata" => Self::CoreMetadata,
            b"data-dist-info-metadata" => Self::DistInfoMetadata,
            b"data-gpg-sig" => Self::GpgSig,
            b"data-provenance" => Self::Provenance,
            // Not standard, but read by uv.
            b"data-upload-time" => Self::UploadTime,
            b"data-size" => Self::Size,
            // Ours, the counterpart of `_upload-time-source` in JSON.
            b"data-upload-time-source" => Self::UploadTimeSource,
            b"name" => Self::Name,
            b"content" => Self::Content,
            _ => return None,
        })
    }
}

/// The attributes of the tag at hand. One such value serves the whole page.
#[derive(Default)]
pub(super) struct Tag {
    values: [Vec<u8>; ATTRIBUTES],
    present: [bool; ATTRIBUTES],
    /// Where the value that comes next belongs.
    current: Option<Attribute>,
}

impl Tag {
    /// The value, character references resolved; empty for an attribute without value.
    pub(super) fn get(&self, attribute: Attribute) -> Option<&str> {
        let at = attribute as usize;
        // Always UTF-8, for the whole body is and references are.
        self.present[at].then(|| std::str::from_utf8(&self.values[at]).unwrap_or(""))
    }

    fn clear(&mut self) {
        self.present = [false; ATTRIBUTES];
        self.current = None;
    }

    /// Of attributes with one name the first counts.
    fn open(&mut self, name: &[u8]) {
        self.current =
            Attribute::named(name).filter(|attribute| !self.present[*attribute as usize]);
        if let Some(attribute) = self.current {
            self.present[attribute as usize] = true;
            self.values[attribute as usize].clear();
        }
    }

    fn fill(&mut self, value: &[u8]) {
        if let Some(attribute) = self.current {
            self.values[attribute as usize].extend_from_slice(value);
        }
    }
}

/// Reports what matters in a page, in its order. Fails if the body cannot be a page.
pub(super) fn scan(body: &[u8], on_event: impl FnMut(Event<'_>)) -> Result<(), Error> {
    if body.contains(&0) {
        return Err(Error::NotHtml("it has a NUL byte"));
    }
    // `from_utf8_lossy` alone is slower, and nearly every page is UTF-8.
    let text = str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut scanner = Scanner {
        on_event,
        tag: Tag::default(),
        kind: Kind::Other,
        in_tag: false,
        in_link: false,
        has_tag: false,
    };
    let mut emitter = CallbackEmitter::new(
        |event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
            scanner.handle(&event);
            None
        },
    );
    // Else a script that mentions `<a href=…>` would count as links.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(text, Unchecked(emitter)).finish();
    scanner.end_link();
    if scanner.has_tag {
        Ok(())
    } else {
        Err(Error::NotHtml("it has no tags"))
    }
}

/// An emitter that wants to hear of no parse errors, which halves the time.
struct Unchecked<E>(E);

impl<E: Emitter> ForwardingEmitter for Unchecked<E> {
    type Token = E::Token;

    fn inner(&mut self) -> &mut impl Emitter<Token = E::Token> {
        &mut self.0
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Link,
    Base,
    Meta,
    Other,
}

struct Scanner<F> {
    on_event: F,
    tag: Tag,
    kind: Kind,
    /// Within `<…>` of a start tag; end tags may have attributes too, which mean nothing.
    in_tag: bool,
    in_link: bool,
    has_tag: bool,
}

impl<F: FnMut(Event<'_>)> Scanner<F> {
    fn open_tag(&mut self, name: &[u8]) {
        self.has_tag = true;
        self.kind = match name {
            b"a" => Kind::Link,
            b"base" => Kind::Base,
            b"meta" => Kind::Meta,
            _ => Kind::Other,
        };
        self.in_tag = self.kind != Kind::Other;
        self.tag.clear();
    }

    fn close_tag(&mut self) {
        self.in_tag = false;
        match self.kind {
            Kind::Link => {
                self.end_link();
                self.in_link = true;
                (self.on_event)(Event::Link(&self.tag));
            }
            Kind::Base => (self.on_event)(Event::Base(&self.tag)),
            Kind::Meta => (self.on_event)(Event::Meta(&self.tag)),
            Kind::Other => {}
        }
    }

    fn end_link(&mut self) {
        if std::mem::take(&mut self.in_link) {
            (self.on_event)(Event::LinkEnd);
        }
    }

    fn handle(&mut self, event: &CallbackEvent<'_>) {
        match *event {
            CallbackEvent::OpenStartTag { name } => self.open_tag(name),
            CallbackEvent::AttributeName { name } if self.in_tag => self.tag.open(name),
            CallbackEvent::AttributeValue { value } if self.in_tag => self.tag.fill(value),
            CallbackEvent::CloseStartTag { .. } => self.close_tag(),
            CallbackEvent::EndTag { name: b"a" } => self.end_link(),
            CallbackEvent::String { value } if self.in_link => {
                (self.on_event)(Event::LinkText(std::str::from_utf8(value).unwrap_or("")));
            }
            CallbackEvent::Comment { value } => {
                (self.on_event)(Event::Comment(std::str::from_utf8(value).unwrap_or("")));
            }
            _ => {}
        }
    }
}
